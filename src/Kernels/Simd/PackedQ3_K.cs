using System.Runtime.InteropServices;

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

    public override bool PackRow(ReadOnlySpan<byte> source, byte* panel, int row)
    {
        uint* q = stackalloc uint[8];
        for (; source.Length > 0; source = source[FileBytes..], panel += BlockBytes)
        {
            ((float*)panel)[row] = Half16.ToSingle(MemoryMarshal.Read<ushort>(source[108..])) * 0.125f;
            ReadOnlySpan<uint> high = MemoryMarshal.Cast<byte, uint>(source[..32]), pairs = MemoryMarshal.Cast<byte, uint>(source.Slice(32, 64));
            for (int p = 0; p < 8; p++)
            {
                byte* chunk = panel + Head + p / 2 * ChunkBytes, to = chunk + Quants + p % 2 * PairBytes + 4 * row;
                for (int s = 0; s < 2; s++) chunk[16 * (p % 2 * 2 + s) + row] = (byte)(Q3_KFormat.Scale(source[96..108], 2 * p + s) - 32);
                // Bytes of a dword are four columns; masks keep them apart.
                for (int g = 0; g < 8; g++) q[g] = pairs[p / 4 * 8 + g] >> (p % 4 * 2) & 0x03030303 | (high[g] >> p & 0x01010101) << 2;
                *(uint*)to = q[1] | q[0] << 3 | (q[3] & 0x03030303) << 6;
                *(uint*)(to + 64) = q[4] | q[2] << 3 | (q[7] & 0x03030303) << 6;
                *(uint*)(to + 128) = q[6] | q[5] << 3 | (q[3] & 0x04040404) << 4 | (q[7] & 0x04040404) << 5;
            }
        }
        return true;
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
