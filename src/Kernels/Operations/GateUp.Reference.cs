namespace Inference.Kernels;

/// <summary>y = silu(gate) * up, silu(g) = g / (1 + exp(-g)). (arXiv 2002.05202)</summary>
internal static class GateUp
{
    public static void Reference(ReadOnlySpan<float> gate, ReadOnlySpan<float> up, Span<float> y)
    {
        for (int i = 0; i < y.Length; i++) y[i] = (float)(gate[i] / (1 + Math.Exp(-gate[i])) * up[i]);
    }
}
