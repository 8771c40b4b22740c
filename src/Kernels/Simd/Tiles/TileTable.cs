using System.Runtime.Intrinsics.X86;

namespace Inference.Kernels;

/// <summary>Finds the tile for a level, a type and a number of tokens.</summary>
internal static unsafe partial class TileTable
{
    /// <summary>
    /// Whether tiles of one token should prefetch. Reading panels in order from memory, it gained 5-10 % on Zen 5 (AMD family 1Ah) and cost 5-30 % on
    /// Zen 4; other processors are left to their own prefetcher.
    /// </summary>
    private static bool PrefetchPays { get; } = IsZen5OrLater();

    private static bool IsZen5OrLater()
    {
        if (!X86Base.IsSupported) return false;
        (_, int ebx, int ecx, int edx) = X86Base.CpuId(0, 0);
        if ((ebx, edx, ecx) != (0x68747541, 0x69746e65, 0x444d4163)) return false; // "Auth" "enti" "cAMD"
        int signature = X86Base.CpuId(1, 0).Eax;
        return (signature >> 8 & 15) == 15 && 15 + (signature >> 20 & 255) >= 0x1a;
    }
}

/// <summary>The tiles of one type at one level, by tokens.</summary>
internal readonly unsafe struct TileWidths
{
    private readonly delegate*<byte*, int, TileInput*, float*, void> one, two, four, eight;
    private readonly delegate* unmanaged[SuppressGCTransition]<byte*, int, TileInput*, float*, void> machineOne, machineTwo, machineFour, machineEight;
    private readonly bool machine;

    private TileWidths(SimdLevel level, TensorType type)
    {
        if (level == SimdLevel.Avx512Vnni && VnniTiles.Find(type, 1) != null)
        {
            machine = true;
            machineOne = VnniTiles.Find(type, 1);
            machineTwo = VnniTiles.Find(type, 2);
            machineFour = VnniTiles.Find(type, 4);
            machineEight = VnniTiles.Find(type, 8);
            return;
        }
        level = SimdLevels.Vectors(level);
        one = TileTable.Find(level, type, 1);
        two = TileTable.Find(level, type, 2);
        four = TileTable.Find(level, type, 4);
        eight = TileTable.Find(level, type, 8);
    }

    private TileWidths(SimdLevel level)
    {
        one = TileTable.FindDecoded(level, 1);
        two = TileTable.FindDecoded(level, 2);
        four = TileTable.FindDecoded(level, 4);
        eight = TileTable.FindDecoded(level, 8);
    }

    public static TileWidths Of(SimdLevel level, TensorType type) => new(level, type);

    /// <summary>Those for the panels of a <see cref="PanelDecoder"/>.</summary>
    public static TileWidths Decoded(SimdLevel level) => new(SimdLevels.Vectors(level));

    /// <summary>Runs the tile for 1, 2, 4 or 8 tokens: the product of one panel into [tokens][panel rows].</summary>
    public void Run(int tokens, byte* panel, int columns, TileInput* x, float* y)
    {
        if (machine)
        {
            delegate* unmanaged[SuppressGCTransition]<byte*, int, TileInput*, float*, void> code = tokens == 1 ? machineOne : tokens == 2 ? machineTwo : tokens == 4 ? machineFour : machineEight;
            code(panel, columns, x, y);
            return;
        }
        delegate*<byte*, int, TileInput*, float*, void> tile = tokens == 1 ? one : tokens == 2 ? two : tokens == 4 ? four : eight;
        tile(panel, columns, x, y);
    }
}
