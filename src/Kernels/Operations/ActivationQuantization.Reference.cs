namespace Inference.Kernels;

/// <summary>
/// The one int8 form of activations: blocks of 32, scale = max|x| / 127, q = round-half-to-even(x * (127 / max|x|)), all in float32.
/// A block of zeros has scale 0. Every device gives these bits, whatever rows stand beside it.
/// </summary>
internal static class ActivationQuantization
{
    public const int Block = 32;

    /// <summary>Quantises one row. quants: [columns], scales: [columns / 32].</summary>
    public static void Reference(ReadOnlySpan<float> x, Span<sbyte> quants, Span<float> scales)
    {
        for (int b = 0; b < x.Length / Block; b++)
        {
            float max = 0;
            foreach (float value in x.Slice(b * Block, Block)) max = Math.Max(max, Math.Abs(value));
            float inverse = max == 0 ? 0 : 127f / max;
            scales[b] = max / 127f;
            for (int i = 0; i < Block; i++) quants[b * Block + i] = (sbyte)MathF.Round(x[b * Block + i] * inverse, MidpointRounding.ToEven);
        }
    }
}
