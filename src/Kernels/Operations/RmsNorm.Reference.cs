namespace Inference.Kernels;

/// <summary>y[i] = x[i] / sqrt(mean(x^2) + epsilon) * gain[i]. (arXiv 1910.07467)</summary>
internal static class RmsNorm
{
    public static void Reference(ReadOnlySpan<float> x, ReadOnlySpan<float> gain, float epsilon, Span<float> y)
    {
        double sum = 0;
        foreach (float value in x) sum += (double)value * value;
        double inverse = 1 / Math.Sqrt(sum / x.Length + epsilon);
        for (int i = 0; i < x.Length; i++) y[i] = (float)(x[i] * inverse * gain[i]);
    }
}
