using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Inference.Kernels;

/// <summary>
/// Per 256 columns: 16 times d / 8 (float32), then four chunks: scales - 32 [4][16] (int8), and for each pair of sub-blocks three times [row][4] bytes
/// A, B, C, which hold the quants q0 to q7 of eight groups of four columns: A = q1 | q0 &lt;&lt; 3 | low bits of q3 &lt;&lt; 6, B = q4 | q2 &lt;&lt; 3 | low bits
/// of q7 &lt;&lt; 6, C = q6 | q5 &lt;&lt; 3 | bit 2 of q3 at 6, of q7 at 7. 1,856 bytes for 16 x 256 weights, 5.5 % more than in the file.
/// </summary>
internal sealed unsafe class PackedQ3_K : PackedLayout
{
    private const int FileBytes = 110, Head = 64, Quants = 64, PairBytes = 192, ChunkBytes = Quants + 2 * PairBytes, BlockBytes = Head + 4 * ChunkBytes;

    public override TensorType Type => TensorType.Q3_K;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Zero32;
    public override long PanelBytes(int columns) => columns / 256 * (long)BlockBytes;

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override bool Pack(byte** rows, int columns, byte* panel)
    {
        uint* high = stackalloc uint[8 * 16], pairs = stackalloc uint[16 * 16], tail = stackalloc uint[4 * 16];
        nint at = 0;
        for (int b = 0; b < columns / 256; b++, at += FileBytes, panel += BlockBytes)
        {
            StoredHalves.ToSingle(rows, at + 108, (float*)panel, 0.125f);
            RowTransposition.Dwords(rows, at, 8, (byte*)high);
            RowTransposition.Dwords(rows, at + 32, 16, (byte*)pairs);
            RowTransposition.Dwords(rows, at + 94, 4, (byte*)tail); // the last 16 bytes: two of the pairs, 12 of the scales, d
            StoreScales(tail, panel + Head);
            for (int p = 0; p < 8; p++)
            {
                uint* to = (uint*)(panel + Head + p / 2 * ChunkBytes + Quants + p % 2 * PairBytes);
                for (int r = 0; r < 16; r += 4) StoreQuants(pairs + 16 * 8 * (p / 4) + r, p % 4 * 2, high + r, p, to + r);
            }
        }
        return true;
    }

    /// <summary>Writes the scales - 32 of each chunk [4][16]: Q3_KFormat.Scale for four scales at a time.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreScales(uint* tail, byte* chunks)
    {
        uint* quads = stackalloc uint[16];
        for (int c = 0; c < 4; c++)
        {
            for (int r = 0; r < 16; r += 4)
            {
                Vector128<uint> low = Dword(tail + 16 * (c % 2) + r) >> c / 2 * 4 & Vector128.Create(0x0f0f0f0fu), high = Dword(tail + 32 + r) >> 2 * c & Vector128.Create(0x03030303u);
                ((low | high << 4).AsByte() - Vector128.Create((byte)32)).AsUInt32().Store(quads + r);
            }
            RowTransposition.Bytes(quads, chunks + c * ChunkBytes);
        }

        static Vector128<uint> Dword(uint* halves) => Vector128.Load(halves) >> 16 | Vector128.Load(halves + 16) << 16;
    }

    /// <summary>Writes A, B and C of four rows. Bytes of a dword are four columns; masks keep them apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreQuants(uint* pairs, int pairShift, uint* high, int highShift, uint* to)
    {
        Vector128<uint> q0 = Quant(0, pairs, pairShift, high, highShift), q1 = Quant(1, pairs, pairShift, high, highShift), q2 = Quant(2, pairs, pairShift, high, highShift);
        Vector128<uint> q3 = Quant(3, pairs, pairShift, high, highShift), q4 = Quant(4, pairs, pairShift, high, highShift), q5 = Quant(5, pairs, pairShift, high, highShift);
        Vector128<uint> q6 = Quant(6, pairs, pairShift, high, highShift), q7 = Quant(7, pairs, pairShift, high, highShift);
        Vector128<uint> two = Vector128.Create(0x03030303u), third = Vector128.Create(0x04040404u);
        (q1 | q0 << 3 | (q3 & two) << 6).Store(to);
        (q4 | q2 << 3 | (q7 & two) << 6).Store(to + 16);
        (q6 | q5 << 3 | (q3 & third) << 4 | (q7 & third) << 5).Store(to + 32);

        static Vector128<uint> Quant(int g, uint* pairs, int pairShift, uint* high, int highShift) =>
            Vector128.Load(pairs + 16 * g) >> pairShift & Vector128.Create(0x03030303u) | (Vector128.Load(high + 16 * g) >> highShift & Vector128.Create(0x01010101u)) << 2;
    }

    public override void DecodeRow(byte* panel, int row, Span<float> values)
    {
        for (int b = 0; b < values.Length / 256; b++, panel += BlockBytes)
        {
            float d = ((float*)panel)[row] * 8;
            for (int s = 0; s < 16; s++)
            {
                byte* chunk = panel + Head + s / 4 * ChunkBytes, from = chunk + Quants + s % 4 / 2 * PairBytes + 4 * row;
                float scale = d * (sbyte)chunk[16 * (s % 4) + row];
                Span<float> block = values.Slice(256 * b + 16 * s, 16);
                for (int i = 0; i < 16; i++) block[i] = scale * (Quant(from[i % 4], from[64 + i % 4], from[128 + i % 4], s % 2 * 4 + i / 4) - 4);
            }
        }
    }

    /// <summary>The quant of a group out of the bytes A, B and C of its column.</summary>
    private static int Quant(int a, int b, int c, int group) => group switch
    {
        0 => a >> 3 & 7,
        1 => a & 7,
        2 => b >> 3 & 7,
        3 => a >> 6 | (c >> 6 & 1) << 2,
        4 => b & 7,
        5 => c >> 3 & 7,
        6 => c & 7,
        _ => b >> 6 | (c >> 7) << 2,
    };
}
