namespace Inference.Kernels;

/// <summary>y = W x + bias. W: [rows][columns] float32, x: [columns], y: [rows].</summary>
internal static class Linear
{
    public static void Reference(ReadOnlySpan<float> weights, ReadOnlySpan<float> x, ReadOnlySpan<float> bias, Span<float> y)
    {
        for (int r = 0; r < y.Length; r++)
        {
            ReadOnlySpan<float> row = weights.Slice(r * x.Length, x.Length);
            double sum = bias.IsEmpty ? 0 : bias[r];
            for (int i = 0; i < row.Length; i++) sum += (double)row[i] * x[i];
            y[r] = (float)sum;
        }
    }

    /// <summary>x as the int8 form stands for it: what a product of quantised weights sees.</summary>
    public static float[] RoundActivations(ReadOnlySpan<float> x)
    {
        var quants = new sbyte[x.Length];
        var scales = new float[x.Length / ActivationQuantization.Block];
        ActivationQuantization.Reference(x, quants, scales);
        var rounded = new float[x.Length];
        for (int i = 0; i < x.Length; i++) rounded[i] = quants[i] * scales[i / ActivationQuantization.Block];
        return rounded;
    }
}
