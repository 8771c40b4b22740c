using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Inference.Evaluation;

/// <summary>
/// A text cut into windows that do not overlap, each run from an empty cache: the begin-of-text token and the next context - 1 tokens.
/// Every token of the text is predicted once. A model without a begin-of-text token gets windows of context tokens, whose first is not predicted.
/// </summary>
internal sealed class TextWindows
{
    private readonly int[][] windows;

    /// <param name="tokens">The text's tokens, without special ones around them.</param>
    /// <param name="bos">Begin-of-text token, or null.</param>
    /// <param name="context">Tokens of a window, at least 2.</param>
    /// <exception cref="InvalidDataException">The text has fewer than two tokens.</exception>
    public TextWindows(int[] tokens, int? bos, int context)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(context, 2);
        if (tokens.Length < 2) throw new InvalidDataException($"the text has {tokens.Length} token{(tokens.Length == 1 ? "" : "s")}; at least 2 are needed");
        Context = context;
        int[] start = bos is { } id ? [id] : [];
        // A last window of one token and nothing before it has nothing to predict.
        windows = [.. tokens.Chunk(context - start.Length).Select(chunk => (int[])[.. start, .. chunk]).Where(window => window.Length > 1)];
        Predictions = windows.Sum(window => window.Length - 1);
    }

    /// <summary>Tokens of a full window.</summary>
    public int Context { get; }

    public int Count => windows.Length;

    /// <summary>Tokens predicted in all windows.</summary>
    public int Predictions { get; }

    /// <summary>Tokens of one window, the begin-of-text token included.</summary>
    public ReadOnlySpan<int> this[int index] => windows[index];

    /// <summary>XXH3-128 of the windows' lengths and tokens.</summary>
    public UInt128 Fingerprint()
    {
        var hash = new XxHash128();
        foreach (int[] window in windows)
        {
            hash.Append(BitConverter.GetBytes(window.Length));
            hash.Append(MemoryMarshal.AsBytes(window.AsSpan()));
        }
        return hash.GetCurrentHashAsUInt128();
    }
}
