using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// A product of known numbers, small and exact in float32, on a device that is not known to compute rightly: Q8_0 weights, so that int8 activations, the
/// exchange between lanes and barriers all take part.
/// </summary>
internal static class DeviceProbe
{
    private const int Rows = 3, Columns = 512;

    /// <exception cref="DeviceUnavailableException">A kernel does not compile or the answer is wrong.</exception>
    public static void Run(string name, KernelSet kernels)
    {
        float[] answer;
        try
        {
            answer = Multiply(kernels);
        }
        catch (InvalidOperationException e)
        {
            throw new DeviceUnavailableException($"device '{name}' was asked for, but {e.Message}", e);
        }
        for (int r = 0; r < Rows; r++)
            if (answer[r] != Expected(r)) throw new DeviceUnavailableException($"device '{name}' was asked for, but its probe kernel is wrong: row {r} is {answer[r]}, expected {Expected(r)}");
    }

    /// <summary>Weights of row r are (column + r) mod 5 - 2, activations 127 in every fourth column and 1 elsewhere: scale 1, whole quants.</summary>
    private static float Expected(int row)
    {
        int sum = 0;
        for (int c = 0; c < Columns; c++) sum += ((c + row) % 5 - 2) * Activation(c);
        return sum;
    }

    private static int Activation(int column) => column % 4 == 0 ? 127 : 1;

    private static unsafe float[] Multiply(KernelSet kernels)
    {
        const int blocks = Columns / 32;
        var bytes = new byte[Rows * blocks * 34];
        for (int r = 0; r < Rows; r++)
            for (int b = 0; b < blocks; b++)
            {
                Span<byte> block = bytes.AsSpan((r * blocks + b) * 34, 34);
                MemoryMarshal.Write(block, Half16.FromSingle(1));
                for (int i = 0; i < 32; i++) block[2 + i] = (byte)((b * 32 + i + r) % 5 - 2);
            }
        var x = new float[Columns];
        for (int c = 0; c < Columns; c++) x[c] = Activation(c);
        var batch = new StepBatch(new StepCapacity(1, 1, 1, 2)) { RowCount = 1, SequenceCount = 1 };
        batch.QueryCount[0] = batch.KvLength[0] = 1;
        fixed (byte* data = bytes)
        {
            using Weight weight = kernels.LoadWeight(new TensorSource("probe", TensorFormat.Of(TensorType.Q8_0), Rows, Columns, (nint)data), exact: false);
            using Activations input = kernels.AllocateActivations(1, Columns), output = kernels.AllocateActivations(1, Rows);
            kernels.Fill(input, x);
            kernels.Upload(batch);
            kernels.LinearAdd(batch, input, weight, null, output);
            return kernels.Download(output, 1).ToArray();
        }
    }
}
