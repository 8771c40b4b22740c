using System.Runtime.CompilerServices;

namespace Inference.Kernels;

/// <summary>
/// Brings rows of a type without a packed form into a panel of bytes that a tile multiplies: 16 rows that stay in the second-level cache while all tokens
/// pass, and are forgotten then. Memory holds the file's form alone. Per 32 columns: float32 scales of both halves [2][16], then [group of 4 columns][row][4]
/// bytes of weight + 128, weights being integers of seven bits that the scale multiplies.
/// </summary>
internal abstract unsafe class PanelDecoder
{
    protected const int BlockBytes = 640;
    private const int Quants = 128;

    private static readonly PanelDecoder[] All =
    [
        new IQ2_XXSDecoder(), new IQ2_XSDecoder(), new IQ2_SDecoder(), new IQ3_XXSDecoder(), new IQ3_SDecoder(), new IQ1_SDecoder(), new IQ1_MDecoder(),
        new TQ1_0Decoder(), new TQ2_0Decoder(), new NVFP4Decoder(), new Q1_0Decoder(), new Q2_0Decoder(),
    ];

    /// <summary>The decoder of a type, or null: then its rows are decoded to float32.</summary>
    public static PanelDecoder? Find(TensorType type)
    {
        foreach (PanelDecoder decoder in All)
            if (decoder.Type == type) return decoder;
        return null;
    }

    public abstract TensorType Type { get; }

    /// <summary>Bytes of a panel of 16 rows, for columns in whole blocks of 32.</summary>
    public static long PanelBytes(int columns) => columns / 32 * (long)BlockBytes;

    /// <summary>Decodes some columns of a row.</summary>
    /// <param name="row">The columns as in the file, whole blocks.</param>
    /// <param name="columns">How many.</param>
    /// <param name="panel">Where the panel holds those columns, plus four bytes for each row before.</param>
    public abstract void Decode(byte* row, int columns, byte* panel);

    /// <summary>Sets the scales of both halves of a block of 32 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static void SetScales(byte* block, float first, float second)
    {
        *(float*)block = first;
        *(float*)(block + 64) = second;
    }

    /// <summary>Sets group <paramref name="group"/> (0-7) of a block: four weights + 128.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static void SetFour(byte* block, int group, uint weights) => *(uint*)(block + Quants + 64 * group) = weights;

    /// <summary>Sets two groups.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static void SetEight(byte* block, int group, ulong weights)
    {
        SetFour(block, group, (uint)weights);
        SetFour(block, group + 1, (uint)(weights >> 32));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static float Half(byte* at) => Half16.ToSingle(*(ushort*)at);
}
