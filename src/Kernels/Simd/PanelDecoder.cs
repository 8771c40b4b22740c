using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Inference.Kernels;

/// <summary>
/// Brings rows of a type without a packed form into a panel of bytes that a tile multiplies: 16 rows that stay in the second-level cache while all tokens
/// pass, and are forgotten then. Memory holds the file's form alone. Per 32 columns: float32 scales of both halves [2][16], then [group of 4 columns][row][4]
/// bytes of weight + 128, weights being integers of seven bits that the scale multiplies.
/// </summary>
internal abstract unsafe class PanelDecoder
{
    /// <summary>Rows of a panel, and columns that are decoded at once for all of them: rows and panel stay in the first-level cache.</summary>
    private const int Rows = 16, Step = 256, BlockBytes = 640, Quants = 128;

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
    /// <param name="columns">How many, a multiple of 32 and of the block.</param>
    /// <param name="weights">[column] weight + 128.</param>
    /// <param name="scales">[column / 16]</param>
    protected abstract void Decode(byte* row, int columns, byte* weights, float* scales);

    /// <summary>Decodes up to 16 rows. Those that are missing keep whatever the panel held: lanes do not mix, and nobody takes their sums.</summary>
    /// <param name="source">The first row as in the file.</param>
    /// <param name="rowBytes">Bytes of a row there.</param>
    /// <param name="stepBytes">Bytes of 256 columns there.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Columns of a row.</param>
    /// <param name="panel">Receives the panel.</param>
    public void DecodePanel(byte* source, long rowBytes, long stepBytes, int rows, int columns, byte* panel)
    {
        byte* weights = stackalloc byte[Rows * Step];
        float* scales = stackalloc float[Rows * Step / 16];
        for (int column = 0; column < columns; column += Step, source += stepBytes)
        {
            int count = Math.Min(Step, columns - column);
            for (int r = 0; r < rows; r++) Decode(source + r * rowBytes, count, weights + r * Step, scales + r * (Step / 16));
            for (int b = 0; b < count / 32; b++, panel += BlockBytes) Interleave(weights + 32 * b, scales + 2 * b, panel);
        }
    }

    /// <summary>One block of 32 columns: scales to [half][row], weights to [group of 4 columns][row][4].</summary>
    private static void Interleave(byte* weights, float* scales, byte* block)
    {
        for (int r = 0; r < Rows; r++)
        {
            ((float*)block)[r] = scales[r * (Step / 16)];
            ((float*)block)[Rows + r] = scales[r * (Step / 16) + 1];
        }
        for (int r = 0; r < Rows; r += 4)
            for (int half = 0; half < 2; half++)
            {
                byte* from = weights + r * Step + 16 * half, to = block + Quants + 256 * half + 4 * r;
                Vector128<uint> a = Vector128.Load((uint*)from), b = Vector128.Load((uint*)(from + Step));
                Vector128<uint> c = Vector128.Load((uint*)(from + 2 * Step)), d = Vector128.Load((uint*)(from + 3 * Step));
                Vector128<uint> lowAC = Low(a, c), lowBD = Low(b, d), highAC = High(a, c), highBD = High(b, d);
                Low(lowAC, lowBD).Store((uint*)to);
                High(lowAC, lowBD).Store((uint*)(to + 64));
                Low(highAC, highBD).Store((uint*)(to + 128));
                High(highAC, highBD).Store((uint*)(to + 192));
            }
    }

    /// <summary>a0 b0 a1 b1</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Low(Vector128<uint> a, Vector128<uint> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : Vector128.Create(a[0], b[0], a[1], b[1]);

    /// <summary>a2 b2 a3 b3</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> High(Vector128<uint> a, Vector128<uint> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : Vector128.Create(a[2], b[2], a[3], b[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static float Half(byte* at) => Half16.ToSingle(*(ushort*)at);
}
