using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Inference.Kernels;

/// <summary>
/// Per 256 columns: 16 d, 16 dmin (float16 * 1024), then four chunks: a byte [4][16] of scale (low nibble) and min (high) as in the file, and for each sub-block
/// [row][4] bytes: bits 2 g and 2 g + 1 for group g of four columns. 1,344 bytes for 16 x 256 weights, as in the file.
/// </summary>
internal sealed unsafe class PackedQ2_K : PackedLayout
{
    private const int FileBytes = 84, Minima = 32, Head = 64, Quants = 64, ChunkBytes = Quants + 256, BlockBytes = Head + 4 * ChunkBytes;

    public override TensorType Type => TensorType.Q2_K;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.HalfSums;
    public override long PanelBytes(int columns) => columns / 256 * (long)BlockBytes;

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override bool Pack(byte** rows, int columns, byte* panel)
    {
        uint* pairs = stackalloc uint[16 * 16], scales = stackalloc uint[4 * 16];
        bool fits = true;
        nint at = 0;
        for (int b = 0; b < columns / 256; b++, at += FileBytes, panel += BlockBytes)
        {
            fits &= StoredHalves.TryStore(rows, at + 80, panel) & StoredHalves.TryStore(rows, at + 82, panel + Minima);
            RowTransposition.Dwords(rows, at, 4, (byte*)scales);
            RowTransposition.Dwords(rows, at + 16, 16, (byte*)pairs);
            for (int c = 0; c < 4; c++) RowTransposition.Bytes(scales + 16 * c, panel + Head + c * ChunkBytes);
            for (int s = 0; s < 16; s++)
            {
                uint* from = pairs + 16 * (s / 8 * 8 + s % 2 * 4), to = (uint*)(panel + Head + s / 4 * ChunkBytes + Quants + s % 4 * 64);
                for (int r = 0; r < 16; r += 4)
                {
                    Vector128<uint> packed = default;
                    for (int g = 0; g < 4; g++) packed |= (Vector128.Load(from + 16 * g + r) >> s % 8 / 2 * 2 & Vector128.Create(0x03030303u)) << 2 * g;
                    packed.Store(to + r);
                }
            }
        }
        return fits;
    }

    public override void DecodeRow(byte* panel, int row, Span<float> values)
    {
        for (int b = 0; b < values.Length / 256; b++, panel += BlockBytes)
        {
            float d = Stored(panel + 2 * row), dmin = Stored(panel + Minima + 2 * row);
            for (int s = 0; s < 16; s++)
            {
                byte* chunk = panel + Head + s / 4 * ChunkBytes, from = chunk + Quants + s % 4 * 64 + 4 * row;
                int scales = chunk[16 * (s % 4) + row];
                float scale = d * (scales & 15), min = dmin * (scales >> 4);
                Span<float> block = values.Slice(256 * b + 16 * s, 16);
                for (int i = 0; i < 16; i++) block[i] = scale * (from[i % 4] >> (i / 4 * 2) & 3) - min;
            }
        }
    }
}
