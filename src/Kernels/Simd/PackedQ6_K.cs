using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Inference.Kernels;

/// <summary>
/// Per 256 columns: 16 d (float32), then four chunks: scales [4][16] (int8), and for each sub-block of 16 columns three times [row][4] bytes: low
/// nibbles of columns 0-3 | 4-7, of 8-11 | 12-15, and the upper bit pairs of all four groups, group g at bit 2 g. 3,392 bytes for 16 x 256 weights, 1 % more than in the file.
/// </summary>
internal sealed unsafe class PackedQ6_K : PackedLayout
{
    private const int FileBytes = 210, Head = 64, Quants = 64, SubBlockBytes = 192, ChunkBytes = Quants + 4 * SubBlockBytes, BlockBytes = Head + 4 * ChunkBytes;

    public override TensorType Type => TensorType.Q6_K;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Zero32;
    public override long PanelBytes(int columns) => columns / 256 * (long)BlockBytes;

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override bool Pack(byte** rows, int columns, byte* panel)
    {
        uint* low = stackalloc uint[32 * 16], high = stackalloc uint[16 * 16], scales = stackalloc uint[4 * 16];
        nint at = 0;
        for (int b = 0; b < columns / 256; b++, at += FileBytes, panel += BlockBytes)
        {
            StoredHalves.ToSingle(rows, at + 208, (float*)panel);
            RowTransposition.Dwords(rows, at, 32, (byte*)low);
            RowTransposition.Dwords(rows, at + 128, 16, (byte*)high);
            RowTransposition.Dwords(rows, at + 192, 4, (byte*)scales);
            for (int c = 0; c < 4; c++) RowTransposition.Bytes(scales + 16 * c, panel + Head + c * ChunkBytes);
            for (int s = 0; s < 16; s++)
            {
                // The file's order (Q6_KFormat.Quant), four quants in a dword: half h, run of 32 in it, sixteen of the run.
                int h = s / 8, run = s % 8 / 2;
                byte* to = panel + Head + s / 4 * ChunkBytes + Quants + s % 4 * SubBlockBytes;
                StoreQuants(low + 16 * (16 * h + 8 * (run % 2) + 4 * (s % 2)), run / 2 * 4, high + 16 * (8 * h + 4 * (s % 2)), run * 2, (uint*)to);
            }
        }
        return true;
    }

    /// <summary>Writes a sub-block out of four dwords of low nibbles and four of upper bit pairs, each [dword][16 rows].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreQuants(uint* low, int lowShift, uint* high, int highShift, uint* to)
    {
        for (int r = 0; r < 16; r += 4, low += 4, high += 4, to += 4)
        {
            (Low(low, lowShift) | Low(low + 16, lowShift) << 4).Store(to);
            (Low(low + 32, lowShift) | Low(low + 48, lowShift) << 4).Store(to + 16);
            (High(high, highShift) | High(high + 16, highShift) << 2 | High(high + 32, highShift) << 4 | High(high + 48, highShift) << 6).Store(to + 32);
        }

        static Vector128<uint> Low(uint* dwords, int shift) => Vector128.Load(dwords) >> shift & Vector128.Create(0x0f0f0f0fu);
        static Vector128<uint> High(uint* dwords, int shift) => Vector128.Load(dwords) >> shift & Vector128.Create(0x03030303u);
    }

    public override void DecodeRow(byte* panel, int row, Span<float> values)
    {
        for (int b = 0; b < values.Length / 256; b++, panel += BlockBytes)
        {
            float d = ((float*)panel)[row];
            for (int s = 0; s < 16; s++)
            {
                byte* chunk = panel + Head + s / 4 * ChunkBytes, from = chunk + Quants + s % 4 * SubBlockBytes + 4 * row;
                float scale = d * (sbyte)chunk[16 * (s % 4) + row];
                Span<float> block = values.Slice(256 * b + 16 * s, 16);
                for (int i = 0; i < 16; i++)
                {
                    int group = i / 4, low = from[group / 2 * 64 + i % 4] >> (group % 2 * 4) & 15, high = from[128 + i % 4] >> (group * 2) & 3;
                    block[i] = scale * ((low | high << 4) - 32);
                }
            }
        }
    }
}
