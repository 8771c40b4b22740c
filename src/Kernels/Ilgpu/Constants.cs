namespace Inference.Kernels;

/// <summary>A compile-time integer for generic kernels: folds, sizes shared memory and removes dead branches. One kernel is compiled per value.</summary>
internal interface IConst
{
    static abstract int Value { get; }
}

internal readonly struct C0 : IConst { public static int Value => 0; }
internal readonly struct C1 : IConst { public static int Value => 1; }
internal readonly struct C2 : IConst { public static int Value => 2; }
internal readonly struct C3 : IConst { public static int Value => 3; }
internal readonly struct C4 : IConst { public static int Value => 4; }
internal readonly struct C5 : IConst { public static int Value => 5; }
internal readonly struct C6 : IConst { public static int Value => 6; }
internal readonly struct C7 : IConst { public static int Value => 7; }
internal readonly struct C64 : IConst { public static int Value => 64; }
internal readonly struct C128 : IConst { public static int Value => 128; }
internal readonly struct C256 : IConst { public static int Value => 256; }
