using System.Runtime.CompilerServices;

namespace Inference.Kernels;

/// <summary>
/// Per 256 columns: 16 d (float32), then two chunks: scales - 32 of four sub-blocks [4][16] (int8), and for each of them [group of 4 columns][row][4]:
/// columns k and k + 16 in the low and high nibble. 2,240 bytes for 16 x 256 weights, 2.9 % more than in the file.
/// </summary>
internal sealed unsafe class PackedIQ4_XS : PackedLayout
{
    private const int FileBytes = 136, Head = 64, Quants = 64, SubBlockBytes = 256, ChunkBytes = Quants + 4 * SubBlockBytes, BlockBytes = Head + 2 * ChunkBytes;

    public override TensorType Type => TensorType.IQ4_XS;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Zero8;
    public override long PanelBytes(int columns) => columns / 256 * (long)BlockBytes;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override bool Pack(byte** rows, int columns, byte* panel)
    {
        nint at = 0;
        for (int b = 0; b < columns / 256; b++, at += FileBytes, panel += BlockBytes)
        {
            StoredHalves.ToSingle(rows, at, (float*)panel);
            for (int r = 0; r < 16; r++)
            {
                uint high = *(ushort*)(rows[r] + at + 2), low = *(uint*)(rows[r] + at + 4);
                for (int j = 0; j < 8; j++, low >>= 4, high >>= 2) // IQ4_XSFormat.Scale of all sub-blocks
                    panel[Head + j / 4 * ChunkBytes + 16 * (j % 4) + r] = (byte)((low & 15 | (high & 3) << 4) - 32);
            }
            for (int j = 0; j < 8; j++) RowTransposition.Dwords(rows, at + 8 + 16 * j, 4, panel + Head + j / 4 * ChunkBytes + Quants + j % 4 * SubBlockBytes);
        }
        return true;
    }

    public override void DecodeRow(byte* panel, int row, Span<float> values)
    {
        for (int b = 0; b < values.Length / 256; b++, panel += BlockBytes)
        {
            float d = ((float*)panel)[row];
            for (int j = 0; j < 8; j++)
            {
                byte* chunk = panel + Head + j / 4 * ChunkBytes, from = chunk + Quants + j % 4 * SubBlockBytes + 4 * row;
                float scale = d * (sbyte)chunk[16 * (j % 4) + row];
                Span<float> block = values.Slice(256 * b + 32 * j, 32);
                for (int i = 0; i < 32; i++) block[i] = scale * IQ4_NLFormat.Steps[from[i % 16 / 4 * 64 + i % 4] >> (i / 16 * 4) & 15];
            }
        }
    }
}
