using System.Runtime.InteropServices;

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

    public override bool PackRow(ReadOnlySpan<byte> source, byte* panel, int row)
    {
        for (; source.Length > 0; source = source[FileBytes..], panel += BlockBytes)
        {
            if (!TryStore(source[80..], panel + 2 * row) || !TryStore(source[82..], panel + Minima + 2 * row)) return false;
            ReadOnlySpan<uint> pairs = MemoryMarshal.Cast<byte, uint>(source.Slice(16, 64));
            for (int s = 0; s < 16; s++)
            {
                byte* chunk = panel + Head + s / 4 * ChunkBytes;
                chunk[16 * (s % 4) + row] = source[s];
                uint packed = 0;
                for (int g = 0; g < 4; g++) packed |= (pairs[s / 8 * 8 + s % 2 * 4 + g] >> (s % 8 / 2 * 2) & 0x03030303) << (2 * g);
                *(uint*)(chunk + Quants + s % 4 * 64 + 4 * row) = packed;
            }
        }
        return true;
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
