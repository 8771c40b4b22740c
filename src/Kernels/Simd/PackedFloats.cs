using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>What the float layouts share: panels of 64 rows, one column after another.</summary>
internal abstract unsafe class PackedFloats : PackedLayout
{
    public override int PanelRows => 64;
    public override int ColumnsPerPass => 512;
}

/// <summary>[column][64 rows] float32.</summary>
internal sealed unsafe class PackedF32 : PackedFloats
{
    public override TensorType Type => TensorType.F32;
    public override ActivationForm Form => ActivationForm.Single;
    public override long PanelBytes(int columns) => 256L * columns;

    public override bool PackRow(ReadOnlySpan<byte> source, byte* panel, int row)
    {
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(source);
        float* to = (float*)panel + row;
        for (int k = 0; k < values.Length; k++) to[64L * k] = values[k];
        return true;
    }

    public override void DecodeRow(byte* panel, int row, Span<float> values)
    {
        for (int k = 0; k < values.Length; k++) values[k] = ((float*)panel)[64L * k + row];
    }
}

/// <summary>[column][2][16] dwords: dword i of each half has row i in its low and row i + 16 in its high 16 bits.</summary>
internal abstract unsafe class PackedHalves : PackedFloats
{
    public override long PanelBytes(int columns) => 128L * columns;

    /// <summary>Place of a row among the 64 numbers of a column.</summary>
    protected static int Place(int row) => row / 32 * 32 + row % 16 * 2 + row % 32 / 16;
}

/// <summary>float16 times 1024.</summary>
internal sealed unsafe class PackedF16 : PackedHalves
{
    public override TensorType Type => TensorType.F16;
    public override ActivationForm Form => ActivationForm.ScaledSingle;

    public override bool PackRow(ReadOnlySpan<byte> source, byte* panel, int row)
    {
        ReadOnlySpan<ushort> values = MemoryMarshal.Cast<byte, ushort>(source);
        byte* to = panel + 2 * Place(row);
        for (int k = 0; k < values.Length; k++)
            if (!TryStore(values[k], to + 128L * k)) return false;
        return true;
    }

    public override void DecodeRow(byte* panel, int row, Span<float> values)
    {
        byte* from = panel + 2 * Place(row);
        for (int k = 0; k < values.Length; k++) values[k] = Stored(from + 128L * k);
    }
}

/// <summary>bfloat16 as it is.</summary>
internal sealed unsafe class PackedBF16 : PackedHalves
{
    public override TensorType Type => TensorType.BF16;
    public override ActivationForm Form => ActivationForm.Single;

    public override bool PackRow(ReadOnlySpan<byte> source, byte* panel, int row)
    {
        ReadOnlySpan<ushort> values = MemoryMarshal.Cast<byte, ushort>(source);
        ushort* to = (ushort*)panel + Place(row);
        for (int k = 0; k < values.Length; k++) to[64L * k] = values[k];
        return true;
    }

    public override void DecodeRow(byte* panel, int row, Span<float> values)
    {
        ushort* from = (ushort*)panel + Place(row);
        for (int k = 0; k < values.Length; k++) values[k] = BitConverter.UInt32BitsToSingle((uint)from[64L * k] << 16);
    }
}
