using System.Runtime.InteropServices;

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

    public override bool PackRow(ReadOnlySpan<byte> source, byte* panel, int row)
    {
        for (; source.Length > 0; source = source[FileBytes..], panel += BlockBytes)
        {
            ((float*)panel)[row] = Half16.ToSingle(MemoryMarshal.Read<ushort>(source[208..]));
            for (int s = 0; s < 16; s++)
            {
                byte* chunk = panel + Head + s / 4 * ChunkBytes, to = chunk + Quants + s % 4 * SubBlockBytes + 4 * row;
                chunk[16 * (s % 4) + row] = source[192 + s];
                // The file's order (Q6_KFormat.Quant), four quants in a dword: half h, run of 32 in it, sixteen of the run.
                int h = s / 8, run = s % 8 / 2, at = s % 2 * 16;
                ReadOnlySpan<uint> low = MemoryMarshal.Cast<byte, uint>(source.Slice(h * 64 + run % 2 * 32 + at, 16));
                ReadOnlySpan<uint> high = MemoryMarshal.Cast<byte, uint>(source.Slice(128 + h * 32 + at, 16));
                int lowShift = run / 2 * 4, highShift = run * 2;
                uint Low(uint dword) => dword >> lowShift & 0x0f0f0f0f;
                uint High(uint dword) => dword >> highShift & 0x03030303;
                *(uint*)to = Low(low[0]) | Low(low[1]) << 4;
                *(uint*)(to + 64) = Low(low[2]) | Low(low[3]) << 4;
                *(uint*)(to + 128) = High(high[0]) | High(high[1]) << 2 | High(high[2]) << 4 | High(high[3]) << 6;
            }
        }
        return true;
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
