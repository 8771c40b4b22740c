using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Inference.Kernels;

/// <summary>The tiles of <see cref="VnniTileWriter"/>, written once when the first is asked for.</summary>
internal static unsafe class VnniTiles
{
    private static readonly TensorType[] Types = [TensorType.Q8_0, TensorType.Q4_0, TensorType.Q5_0, TensorType.Q4_K, TensorType.Q5_K, TensorType.Q6_K];
    private static readonly int[] Widths = [1, 2, 4, 8];
    private static readonly int[] Starts = new int[Types.Length * Widths.Length];
    private static readonly byte* Code = IsPossible() ? ExecutableMemory.TryLoad(Write(Starts)) : null;

    /// <summary>Whether this processor has the instructions, the system passes arguments as they are written for, and allows code that was made at run time.</summary>
    public static bool IsSupported => Code != null;

    /// <summary>The forms of activations that the tiles of a type read, or null where there are none.</summary>
    public static ActivationForm? Form(TensorType type) => type switch
    {
        TensorType.Q8_0 or TensorType.Q4_0 or TensorType.Q5_0 => ActivationForm.Int8 | ActivationForm.Totals,
        TensorType.Q4_K => ActivationForm.Int8 | ActivationForm.Sums,
        TensorType.Q5_K => ActivationForm.Int8 | ActivationForm.Sums | ActivationForm.Totals,
        TensorType.Q6_K => ActivationForm.Int8 | ActivationForm.HalfTotals,
        _ => null,
    };

    /// <summary>The tile of a type and width, or null.</summary>
    public static delegate* unmanaged[SuppressGCTransition]<byte*, int, TileInput*, float*, void> Find(TensorType type, int tokens)
    {
        int index = Array.IndexOf(Types, type), width = Array.IndexOf(Widths, tokens);
        return Code == null || index < 0 ? null : (delegate* unmanaged[SuppressGCTransition]<byte*, int, TileInput*, float*, void>)(Code + Starts[index * Widths.Length + width]);
    }

    private static bool IsPossible()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64 || !SimdLevels.IsSupported(SimdLevel.Avx512)) return false;
        return (X86Base.CpuId(7, 0).Ecx >> 11 & 1) == 1;
    }

    /// <summary>All tiles, one after the other.</summary>
    private static byte[] Write(int[] starts)
    {
        var assembler = new VectorAssembler();
        for (int i = 0; i < starts.Length; i++)
        {
            assembler.Align();
            starts[i] = assembler.Length;
            TensorType type = Types[i / Widths.Length];
            var tile = new VnniTileWriter(assembler, Widths[i % Widths.Length]) { HalfTotals = type == TensorType.Q6_K };
            switch (type)
            {
                case TensorType.Q8_0: tile.Q8_0(); break;
                case TensorType.Q4_0: tile.Q4_0(); break;
                case TensorType.Q5_0: tile.Q5_0(); break;
                case TensorType.Q6_K: tile.Q6_K(); break;
                default: tile.Q4_K(highBits: type == TensorType.Q5_K); break;
            }
        }
        return assembler.ToArray();
    }
}
