namespace Inference.Kernels;

/// <summary>Rotary position embedding of one head: (a, b) -> (a cos - b sin, a sin + b cos) for each pair of dims. (arXiv 2104.09864)</summary>
internal static class Rope
{
    /// <param name="head">The head's elements; the first <paramref name="dims"/> are rotated in place.</param>
    /// <param name="turns">[dims / 2][2] cosine and sine.</param>
    /// <param name="dims">Rotated dims.</param>
    /// <param name="style">Which dims form a pair.</param>
    public static void Reference(Span<float> head, ReadOnlySpan<float> turns, int dims, RopeStyle style)
    {
        for (int i = 0; i < dims / 2; i++)
        {
            (int first, int second) = style == RopeStyle.Interleaved ? (2 * i, 2 * i + 1) : (i, i + dims / 2);
            float a = head[first], b = head[second], cos = turns[2 * i], sin = turns[2 * i + 1];
            head[first] = a * cos - b * sin;
            head[second] = a * sin + b * cos;
        }
    }
}
