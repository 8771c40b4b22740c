using System.Runtime.CompilerServices;

namespace Inference.Kernels;

/// <summary>Per 32 columns: 16 scales (float16 * 1024), then [group of 4 columns][row][4] bytes of weight + 128.</summary>
internal sealed unsafe class PackedQ8_0 : PackedLayout
{
    private const int FileBytes = 34, BlockBytes = 544, Scales = 32;

    public override TensorType Type => TensorType.Q8_0;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Zero8;
    public override long PanelBytes(int columns) => columns / 32 * (long)BlockBytes;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override bool Pack(byte** rows, int columns, byte* panel)
    {
        bool fits = true;
        nint at = 0;
        for (int b = 0; b < columns / 32; b++, at += FileBytes, panel += BlockBytes)
        {
            fits &= StoredHalves.TryStore(rows, at, panel);
            RowTransposition.Dwords(rows, at + 2, 8, panel + Scales, flip: 0x80808080);
        }
        return fits;
    }

    public override void DecodeRow(byte* panel, int row, Span<float> values)
    {
        for (int b = 0; b < values.Length / 32; b++, panel += BlockBytes)
        {
            float d = Stored(panel + 2 * row);
            Span<float> block = values.Slice(32 * b, 32);
            for (int i = 0; i < 32; i++) block[i] = d * (panel[Scales + i / 4 * 64 + 4 * row + i % 4] - 128);
        }
    }
}
