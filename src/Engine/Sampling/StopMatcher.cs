using System.Text;

namespace Inference.Sampling;

/// <summary>Passes text on as soon as it cannot be the beginning of a stop string any more.</summary>
internal sealed class StopMatcher(IReadOnlyList<string> stops)
{
    // An array: to enumerate an interface would allocate for every token.
    private readonly string[] stops = [.. stops];
    private readonly StringBuilder pending = new();

    /// <summary>
    /// Takes more text and returns what is certain. <paramref name="stopped"/>: a stop string is complete; what precedes it is returned,
    /// it and what follows are dropped. Without <paramref name="mayStop"/> complete stop strings pass as text.
    /// </summary>
    public string Append(string text, bool mayStop, out bool stopped)
    {
        stopped = false;
        if (stops.Length == 0) return text;
        if (text.Length == 0) return "";
        string all = pending.Length == 0 ? text : pending.Append(text).ToString();
        pending.Clear();
        int end = -1;
        if (mayStop)
        {
            foreach (string stop in stops)
            {
                int at = all.IndexOf(stop, StringComparison.Ordinal);
                if (at >= 0 && (end < 0 || at < end)) end = at;
            }
        }
        if (end >= 0)
        {
            stopped = true;
            return all[..end];
        }
        int held = 0;
        foreach (string stop in stops) held = Math.Max(held, Overlap(all, stop));
        if (held == 0) return all;
        pending.Append(all, all.Length - held, held);
        return all[..^held];
    }

    /// <summary>What was held back, when the answer ends for another reason.</summary>
    public string Flush()
    {
        string rest = pending.ToString();
        pending.Clear();
        return rest;
    }

    /// <summary>Length of the longest proper prefix of <paramref name="stop"/> that ends <paramref name="text"/>.</summary>
    private static int Overlap(string text, string stop)
    {
        for (int n = Math.Min(stop.Length - 1, text.Length); n > 0; n--)
            if (text.AsSpan(text.Length - n).SequenceEqual(stop.AsSpan(0, n))) return n;
        return 0;
    }
}
