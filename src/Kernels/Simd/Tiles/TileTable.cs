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

    private TileWidths(
        delegate*<byte*, int, TileInput*, float*, void> one, delegate*<byte*, int, TileInput*, float*, void> two,
        delegate*<byte*, int, TileInput*, float*, void> four, delegate*<byte*, int, TileInput*, float*, void> eight)
    {
        this.one = one;
        this.two = two;
        this.four = four;
        this.eight = eight;
    }

    public static TileWidths Of(SimdLevel level, TensorType type) =>
        new(TileTable.Find(level, type, 1), TileTable.Find(level, type, 2), TileTable.Find(level, type, 4), TileTable.Find(level, type, 8));

    /// <summary>Those for the panels of a <see cref="PanelDecoder"/>.</summary>
    public static TileWidths Decoded(SimdLevel level) =>
        new(TileTable.FindDecoded(level, 1), TileTable.FindDecoded(level, 2), TileTable.FindDecoded(level, 4), TileTable.FindDecoded(level, 8));

    /// <summary>The tile for 1, 2, 4 or 8 tokens.</summary>
    public delegate*<byte*, int, TileInput*, float*, void> this[int tokens] => tokens switch { 1 => one, 2 => two, 4 => four, _ => eight };
}
