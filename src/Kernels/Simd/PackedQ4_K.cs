namespace Inference.Kernels;

/// <summary>
/// Per 256 columns: 16 d, 16 dmin (float16 * 1024), scales [8][16], mins [8][16] (bytes), then four chunks of [group of 4 columns][row][4]:
/// sub-block 2c in the low nibbles of chunk c, 2c + 1 in the high ones. 2,368 bytes for 16 x 256 weights, 2.8 % more than in the file.
/// </summary>
internal sealed unsafe class PackedQ4_K : PackedLayout
{
    private const int FileBytes = 144, BlockBytes = 2368, Minima = 32, Scales = 64, Mins = 192, Quants = 320;

    public override TensorType Type => TensorType.Q4_K;
    public override long PanelBytes(int columns) => columns / 256 * (long)BlockBytes;

    public override bool PackRow(ReadOnlySpan<byte> source, byte* panel, int row)
    {
        for (; source.Length > 0; source = source[FileBytes..], panel += BlockBytes)
        {
            if (!TryStore(source, panel + 2 * row) || !TryStore(source[2..], panel + Minima + 2 * row)) return false;
            for (int j = 0; j < 8; j++)
            {
                (int scale, int min) = Q4_KFormat.ScaleAndMin(source[4..16], j);
                panel[Scales + 16 * j + row] = (byte)scale;
                panel[Mins + 16 * j + row] = (byte)min;
            }
            for (int g = 0; g < 32; g++) source.Slice(16 + 4 * g, 4).CopyTo(new Span<byte>(panel + Quants + 64 * g + 4 * row, 4));
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
                float scale = d * panel[Scales + 16 * j + row], min = dmin * panel[Mins + 16 * j + row];
                byte* chunk = panel + Quants + j / 2 * 512 + 4 * row;
                Span<float> block = values.Slice(256 * b + 32 * j, 32);
                for (int i = 0; i < 32; i++) block[i] = scale * (chunk[i / 4 * 64 + i % 4] >> (j % 2 * 4) & 15) - min;
            }
        }
    }
}
