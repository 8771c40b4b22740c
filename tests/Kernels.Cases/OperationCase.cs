namespace Inference.Kernels.Cases;

/// <summary>
/// One operation on one set of shapes: tests run it on every device against the reference, <c>check</c> prints its error and <c>bench ops</c> times it.
/// </summary>
/// <param name="Operation">Name of the operation, for example <c>LinearAdd</c>.</param>
/// <param name="Name">Shapes and types, for example <c>Q4_0 1x576x1536</c>.</param>
/// <param name="Tolerance">Largest allowed difference from the reference, relative to the largest reference value.</param>
/// <param name="Bytes">Bytes that the operation has to read and write at least.</param>
/// <param name="Flops">Floating-point (or integer multiply-add, counted as two) operations.</param>
/// <param name="Prepare">Allocates inputs on a kernel set; the same seed gives the same inputs everywhere.</param>
internal sealed record OperationCase(string Operation, string Name, double Tolerance, long Bytes, long Flops, Func<KernelSet, PreparedCase> Prepare)
{
    public override string ToString() => Operation + " " + Name;

    /// <summary>Runs the case once on a kernel set.</summary>
    public float[] Run(KernelSet kernels)
    {
        using PreparedCase prepared = Prepare(kernels);
        prepared.Invoke();
        return prepared.Read();
    }

    /// <summary>max|actual - expected| / max|expected|; NaN anywhere in the actual values is infinitely wrong.</summary>
    public static double Error(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        if (actual.Length != expected.Length) return double.PositiveInfinity;
        double worst = 0, scale = 1e-30;
        for (int i = 0; i < expected.Length; i++)
        {
            if (!float.IsFinite(actual[i])) return double.PositiveInfinity;
            worst = Math.Max(worst, Math.Abs((double)actual[i] - expected[i]));
            scale = Math.Max(scale, Math.Abs(expected[i]));
        }
        return worst / scale;
    }
}

/// <summary>A case with its inputs in place on one kernel set. <see cref="Invoke"/> may be called again and again.</summary>
internal sealed class PreparedCase(KernelSet kernels, Action invoke, Activations output, int rows, params IDisposable[] owned) : IDisposable
{
    /// <summary>Issues the operation.</summary>
    public void Invoke() => invoke();

    /// <summary>Waits for the device and reads the result.</summary>
    public float[] Read() => kernels.Download(output, rows).ToArray();

    public void Dispose()
    {
        foreach (IDisposable d in owned) d.Dispose();
    }
}
