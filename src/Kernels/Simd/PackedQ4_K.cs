using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// Per 256 columns: 16 d, 16 dmin (float16 * 1024), then four chunks of scales [2][16], mins [2][16] (bytes) and [group of 4 columns][row][4] bytes:
/// sub-block 2c in the low nibbles of chunk c, 2c + 1 in the high ones. 2,368 bytes for 16 x 256 weights, 2.8 % more than in the file.
/// </summary>
internal sealed unsafe class PackedQ4_K : PackedLayout
{
    private const int FileBytes = 144, Minima = 32, Head = 64, Mins = 32, Quants = 64, ChunkBytes = 576, BlockBytes = Head + 4 * ChunkBytes;

    public override TensorType Type => TensorType.Q4_K;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Sums;
    public override long PanelBytes(int columns) => columns / 256 * (long)BlockBytes;

    public override bool PackRow(ReadOnlySpan<byte> source, byte* panel, int row)
    {
        for (; source.Length > 0; source = source[FileBytes..], panel += BlockBytes)
        {
            if (!TryStore(source, panel + 2 * row) || !TryStore(source[2..], panel + Minima + 2 * row)) return false;
            for (int j = 0; j < 8; j++)
            {
                (int scale, int min) = Q4_KFormat.ScaleAndMin(source[4..16], j);
                byte* scales = panel + Head + j / 2 * ChunkBytes + j % 2 * 16 + row;
                scales[0] = (byte)scale;
                scales[Mins] = (byte)min;
            }
            ReadOnlySpan<uint> groups = MemoryMarshal.Cast<byte, uint>(source.Slice(16, 128));
            for (int g = 0; g < groups.Length; g++) *(uint*)(panel + Head + g / 8 * ChunkBytes + Quants + g % 8 * 64 + 4 * row) = groups[g];
        }
        return true;
    }

    public override void DecodeRow(byte* panel, int row, Span<float> values)
    {
        for (int b = 0; b < values.Length / 256; b++, panel += BlockBytes)
        {
            float d = Stored(panel + 2 * row), dmin = Stored(panel + Minima + 2 * row);
            for (int j = 0; j < 8; j++)
            {
                byte* chunk = panel + Head + j / 2 * ChunkBytes;
                float scale = d * chunk[j % 2 * 16 + row], min = dmin * chunk[Mins + j % 2 * 16 + row];
                Span<float> block = values.Slice(256 * b + 32 * j, 32);
                for (int i = 0; i < 32; i++) block[i] = scale * (chunk[Quants + i / 4 * 64 + 4 * row + i % 4] >> (j % 2 * 4) & 15) - min;
            }
        }
    }
}
