namespace Inference.Kernels;

/// <summary>A compile-time integer for generic kernels: folds, sizes shared memory and removes dead branches. One kernel is compiled per value.</summary>
internal interface IConst
{
    static abstract int Value { get; }
}

internal readonly struct C0 : IConst { public static int Value => 0; }
internal readonly struct C1 : IConst { public static int Value => 1; }
internal readonly struct C64 : IConst { public static int Value => 64; }
internal readonly struct C128 : IConst { public static int Value => 128; }
internal readonly struct C256 : IConst { public static int Value => 256; }
