using System.Runtime.Intrinsics;

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

    public override bool Pack(byte** rows, int columns, byte* panel)
    {
        int k = 0;
        for (; k + 4 <= columns; k += 4)
            for (int r = 0; r < 64; r += 4)
                RowTransposition.Store(Four(r), Four(r + 1), Four(r + 2), Four(r + 3), panel + 256L * k + 4 * r, 256);
        for (; k < columns; k++)
            for (int r = 0; r < 64; r++) ((float*)panel)[64L * k + r] = ((float*)rows[r])[k];
        return true;

        Vector128<uint> Four(int row) => RowTransposition.Load(rows[row] + 4 * k);
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

    /// <summary>Packs 16-bit numbers, as they are or as <see cref="StoredHalves"/>. False when one does not fit.</summary>
    protected static bool Pack(byte** rows, int columns, byte* panel, bool scale)
    {
        Vector128<ushort> large = default;
        int k = 0;
        for (; k + 8 <= columns; k += 8)
            for (int r = 0; r < 64; r += r % 32 == 12 ? 20 : 4)
            {
                Vector128<ushort> a = Eight(r), b = Eight(r + 1), c = Eight(r + 2), d = Eight(r + 3), a16 = Eight(r + 16), b16 = Eight(r + 17), c16 = Eight(r + 18), d16 = Eight(r + 19);
                byte* to = panel + 128L * k + 2 * Place(r);
                Store(RowTransposition.Low(a, a16), RowTransposition.Low(b, b16), RowTransposition.Low(c, c16), RowTransposition.Low(d, d16), to);
                Store(RowTransposition.High(a, a16), RowTransposition.High(b, b16), RowTransposition.High(c, c16), RowTransposition.High(d, d16), to + 4 * 128);
            }
        for (; k < columns; k++)
            for (int r = 0; r < 64; r++)
            {
                Vector128<ushort> one = Vector128.CreateScalar(((ushort*)rows[r])[k]);
                ((ushort*)panel)[64L * k + Place(r)] = (scale ? StoredHalves.Store(one, ref large) : one)[0];
            }
        return large == default;

        Vector128<ushort> Eight(int row)
        {
            Vector128<ushort> halves = Vector128.Load((ushort*)rows[row] + k);
            return scale ? StoredHalves.Store(halves, ref large) : halves;
        }

        static void Store(Vector128<ushort> a, Vector128<ushort> b, Vector128<ushort> c, Vector128<ushort> d, byte* to) =>
            RowTransposition.Store(a.AsUInt32(), b.AsUInt32(), c.AsUInt32(), d.AsUInt32(), to, 128);
    }
}

/// <summary>float16 times 1024.</summary>
internal sealed unsafe class PackedF16 : PackedHalves
{
    public override TensorType Type => TensorType.F16;
    public override ActivationForm Form => ActivationForm.ScaledSingle;

    public override bool Pack(byte** rows, int columns, byte* panel) => Pack(rows, columns, panel, scale: true);

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

    public override bool Pack(byte** rows, int columns, byte* panel) => Pack(rows, columns, panel, scale: false);

    public override void DecodeRow(byte* panel, int row, Span<float> values)
    {
        ushort* from = (ushort*)panel + Place(row);
        for (int k = 0; k < values.Length; k++) values[k] = BitConverter.UInt32BitsToSingle((uint)from[64L * k] << 16);
    }
}
