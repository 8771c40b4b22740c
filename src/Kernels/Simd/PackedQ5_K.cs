using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// As <see cref="PackedQ4_K"/>, with the fifth bits of a chunk's two sub-blocks before its quants: [2][row][4] bytes, bit g for group g of four columns.
/// 2,880 bytes for 16 x 256 weights, 2.3 % more than in the file.
/// </summary>
internal sealed unsafe class PackedQ5_K : PackedLayout
{
    private const int FileBytes = 176, Minima = 32, Head = 64, Mins = 32, Bits = 64, Quants = 192, ChunkBytes = Quants + 512, BlockBytes = Head + 4 * ChunkBytes;

    public override TensorType Type => TensorType.Q5_K;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Sums | ActivationForm.Zero16;
    public override long PanelBytes(int columns) => columns / 256 * (long)BlockBytes;

    public override bool PackRow(ReadOnlySpan<byte> source, byte* panel, int row)
    {
        for (; source.Length > 0; source = source[FileBytes..], panel += BlockBytes)
        {
            if (!TryStore(source, panel + 2 * row) || !TryStore(source[2..], panel + Minima + 2 * row)) return false;
            ReadOnlySpan<uint> high = MemoryMarshal.Cast<byte, uint>(source.Slice(16, 32)), groups = MemoryMarshal.Cast<byte, uint>(source.Slice(48, 128));
            for (int j = 0; j < 8; j++)
            {
                byte* chunk = panel + Head + j / 2 * ChunkBytes;
                (int scale, int min) = Q4_KFormat.ScaleAndMin(source[4..16], j);
                chunk[j % 2 * 16 + row] = (byte)scale;
                chunk[Mins + j % 2 * 16 + row] = (byte)min;
                uint bits = 0; // bit j of the file's bytes 4 g + i belongs to column 4 g + i of sub-block j
                for (int g = 0; g < 8; g++) bits |= (high[g] >> j & 0x01010101) << g;
                *(uint*)(chunk + Bits + j % 2 * 64 + 4 * row) = bits;
            }
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
                byte* chunk = panel + Head + j / 2 * ChunkBytes, bits = chunk + Bits + j % 2 * 64 + 4 * row;
                float scale = d * chunk[j % 2 * 16 + row], min = dmin * chunk[Mins + j % 2 * 16 + row];
                Span<float> block = values.Slice(256 * b + 32 * j, 32);
                for (int i = 0; i < 32; i++)
                    block[i] = scale * (chunk[Quants + i / 4 * 64 + 4 * row + i % 4] >> (j % 2 * 4) & 15 | (bits[i % 4] >> (i / 4) & 1) << 4) - min;
            }
        }
    }
}
