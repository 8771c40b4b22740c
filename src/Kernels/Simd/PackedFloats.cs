using System.Runtime.CompilerServices;
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override bool Pack(byte** rows, int columns, byte* panel)
    {
        int k = 0;
        for (; k + 4 <= columns; k += 4)
            for (int r = 0; r < 64; r += 4)
                RowTransposition.Store(Four(rows[r], k), Four(rows[r + 1], k), Four(rows[r + 2], k), Four(rows[r + 3], k), panel + 256L * k + 4 * r, 256);
        for (; k < columns; k++)
            for (int r = 0; r < 64; r++) ((float*)panel)[64L * k + r] = ((float*)rows[r])[k];
        return true;

        static Vector128<uint> Four(byte* row, int k) => RowTransposition.Load(row + 4 * k);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override bool Pack(byte** rows, int columns, byte* panel)
    {
        int k = 0;
        for (; k + 8 <= columns; k += 8)
            for (int r = 0; r < 64; r += r % 32 == 12 ? 20 : 4) // with the rows 16 below
            {
                byte* to = panel + 128L * k + 2 * Place(r);
                Vector128<ushort> a = Eight(rows[r], k), b = Eight(rows[r + 1], k), c = Eight(rows[r + 2], k), d = Eight(rows[r + 3], k);
                Vector128<ushort> e = Eight(rows[r + 16], k), f = Eight(rows[r + 17], k), g = Eight(rows[r + 18], k), h = Eight(rows[r + 19], k);
                Store(RowTransposition.Low(a, e), RowTransposition.Low(b, f), RowTransposition.Low(c, g), RowTransposition.Low(d, h), to);
                Store(RowTransposition.High(a, e), RowTransposition.High(b, f), RowTransposition.High(c, g), RowTransposition.High(d, h), to + 4 * 128);
            }
        for (; k < columns; k++)
            for (int r = 0; r < 64; r++) ((ushort*)panel)[64L * k + Place(r)] = ((ushort*)rows[r])[k];
        return true;

        static Vector128<ushort> Eight(byte* row, int k) => Vector128.Load((ushort*)row + k);

        static void Store(Vector128<ushort> a, Vector128<ushort> b, Vector128<ushort> c, Vector128<ushort> d, byte* to) =>
            RowTransposition.Store(a.AsUInt32(), b.AsUInt32(), c.AsUInt32(), d.AsUInt32(), to, 128);
    }
}

/// <summary>float16 times 1024.</summary>
internal sealed unsafe class PackedF16 : PackedHalves
{
    public override TensorType Type => TensorType.F16;
    public override ActivationForm Form => ActivationForm.ScaledSingle;

    /// <summary>Multiplies some columns of all rows in the first-level cache, then lays them side by side.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override bool Pack(byte** rows, int columns, byte* panel)
    {
        const int step = 64;
        ushort* stored = stackalloc ushort[64 * step];
        byte** from = stackalloc byte*[64];
        Vector128<ushort> large = default;
        for (int column = 0; column < columns; column += step)
        {
            int count = Math.Min(step, columns - column);
            for (int r = 0; r < 64; r++)
            {
                ushort* row = (ushort*)rows[r] + column, to = stored + r * step;
                from[r] = (byte*)to;
                int k = 0;
                for (; k + 8 <= count; k += 8)
                {
                    Vector128<ushort> halves = Vector128.Load(row + k);
                    large |= StoredHalves.Excess(halves);
                    StoredHalves.Store(halves).Store(to + k);
                }
                for (; k < count; k++)
                {
                    large |= StoredHalves.Excess(Vector128.CreateScalar(row[k]));
                    to[k] = StoredHalves.Store(Vector128.CreateScalar(row[k]))[0];
                }
            }
            if (large != default) return false;
            base.Pack(from, count, panel + PanelBytes(column));
        }
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

    public override void DecodeRow(byte* panel, int row, Span<float> values)
    {
        ushort* from = (ushort*)panel + Place(row);
        for (int k = 0; k < values.Length; k++) values[k] = BitConverter.UInt32BitsToSingle((uint)from[64L * k] << 16);
    }
}
