using System.Buffers;
using System.Text.RegularExpressions;

namespace Inference.Models;

/// <summary>How a byte-level vocabulary cuts text into the pieces inside which it merges. Known by the name in <c>tokenizer.ggml.pre</c>.</summary>
internal sealed partial class PreTokenization
{
    private static readonly Dictionary<string, PreTokenization> Known = new(StringComparer.Ordinal)
    {
        ["gpt-2"] = new([Gpt2()]),
        ["smollm"] = new([OneNumber(), Gpt2()]),
        ["qwen2"] = new([Qwen2()]) { ComposesText = true },
        ["llama-bpe"] = new([Llama3()]) { WholePiecesFirst = true, AddsBos = true },
    };

    private readonly Regex[] stages;

    private PreTokenization(Regex[] stages) => this.stages = stages;

    /// <summary>Names of all that are supported.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <summary>Text is brought to Unicode form NFC first.</summary>
    public bool ComposesText { get; private init; }

    /// <summary>A piece that is a token as a whole is that token, whatever the merges would give.</summary>
    public bool WholePiecesFirst { get; private init; }

    /// <summary>A prompt begins with BOS where the file does not say.</summary>
    public bool AddsBos { get; private init; }

    public static PreTokenization? Find(string name) => Known.GetValueOrDefault(name);

    /// <summary>The pieces of <paramref name="text"/> in order, without gaps.</summary>
    /// <param name="text">Not empty, well-formed UTF-16.</param>
    public List<(int Start, int Length)> Split(ReadOnlySpan<char> text)
    {
        if (text.IndexOfAnyInRange('\uD800', '\uDFFF') < 0) return SplitBasic(text);
        char[] folded = ArrayPool<char>.Shared.Rent(text.Length);
        int[] starts = ArrayPool<int>.Shared.Rent(text.Length + 1);
        int count = Surrogates.Fold(text, folded, starts);
        List<(int Start, int Length)> pieces = SplitBasic(folded.AsSpan(0, count));
        for (int i = 0; i < pieces.Count; i++)
        {
            (int start, int length) = pieces[i];
            pieces[i] = (starts[start], starts[start + length] - starts[start]);
        }
        ArrayPool<char>.Shared.Return(folded);
        ArrayPool<int>.Shared.Return(starts);
        return pieces;
    }

    private List<(int Start, int Length)> SplitBasic(ReadOnlySpan<char> text)
    {
        List<(int Start, int Length)> pieces = [(0, text.Length)];
        foreach (Regex stage in stages)
        {
            var finer = new List<(int Start, int Length)>(text.Length / 4 + 1);
            foreach ((int start, int length) in pieces)
            {
                // A piece is matched by itself: a look-ahead sees its end as the end of the text.
                int done = 0;
                foreach (ValueMatch match in stage.EnumerateMatches(text.Slice(start, length)))
                {
                    if (match.Index > done) finer.Add((start + done, match.Index - done));
                    if (match.Length > 0) finer.Add((start + match.Index, match.Length));
                    done = match.Index + match.Length;
                }
                if (done < length) finer.Add((start + done, length - done));
            }
            pieces = finer;
        }
        return pieces;
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Gpt2();

    [GeneratedRegex(@"\p{N}", RegexOptions.CultureInvariant)]
    private static partial Regex OneNumber();

    // The contractions ignore case by Unicode's folding, in which U+017F (long s) is an s; .NET's IgnoreCase leaves it out.
    private const string Contractions = @"'(?:[sS\u017F]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])";
    private const string Word = @"[^\r\n\p{L}\p{N}]?\p{L}+";
    private const string SymbolsAndSpace = @" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    [GeneratedRegex(Contractions + "|" + Word + @"|\p{N}|" + SymbolsAndSpace, RegexOptions.CultureInvariant)]
    private static partial Regex Qwen2();

    [GeneratedRegex(Contractions + "|" + Word + @"|\p{N}{1,3}|" + SymbolsAndSpace, RegexOptions.CultureInvariant)]
    private static partial Regex Llama3();
}
