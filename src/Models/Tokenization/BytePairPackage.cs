using Microsoft.ML.Tokenizers;

namespace Inference.Models;

/// <summary>
/// Microsoft.ML.Tokenizers' BPE over a GGUF vocabulary. Only its merging is used: pre-tokenization, special tokens and normalisation are ours, because
/// the package's drop or reject text that they do not expect.
/// </summary>
internal static class BytePairPackage
{
    /// <exception cref="ModelFormatException">A merge is malformed or names a token that the vocabulary lacks.</exception>
    public static BpeTokenizer Create(VocabularyData vocabulary)
    {
        try
        {
            return Create(vocabulary, TextTokens(vocabulary), vocabulary.Merges!);
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            // It refuses everything for one repeated token or one bad or repeated merge, and does not say which. Of equals, the first counts.
            Dictionary<string, int> ids = IdsOfText(vocabulary);
            return Create(vocabulary, ids, [.. vocabulary.Merges!.Where((merge, index) => IsSound(vocabulary, ids, merge, index)).Distinct(StringComparer.Ordinal)]);
        }
    }

    /// <summary>Tokens by spelling; the first of equals, and text before user-defined tokens.</summary>
    public static Dictionary<string, int> IdsOfText(VocabularyData vocabulary)
    {
        var ids = new Dictionary<string, int>(vocabulary.Tokens.Length, StringComparer.Ordinal);
        foreach ((string token, int id) in TextTokens(vocabulary)) ids.TryAdd(token, id);
        return ids;
    }

    /// <summary>The tokens that merging can give, text before user-defined ones, through which merges may pass.</summary>
    private static IEnumerable<KeyValuePair<string, int>> TextTokens(VocabularyData vocabulary)
    {
        foreach (bool userDefined in (bool[])[false, true])
            for (int id = 0; id < vocabulary.Tokens.Length; id++)
                if (userDefined ? vocabulary.Types[id] == TokenType.UserDefined : vocabulary.Types[id] is TokenType.Normal or TokenType.Undefined)
                    yield return new(vocabulary.Tokens[id], id);
    }

    private static BpeTokenizer Create(VocabularyData vocabulary, IEnumerable<KeyValuePair<string, int>> tokens, string[] merges)
    {
        string? unknown = vocabulary.UnknownId is { } id ? vocabulary.Tokens[id] : null;
        if (unknown is not null && vocabulary.Types[vocabulary.UnknownId!.Value] is TokenType.Unknown or TokenType.Control) tokens = tokens.Append(new(unknown, vocabulary.UnknownId!.Value));
        return BpeTokenizer.Create(new BpeOptions(tokens) { Merges = merges, ByteLevel = true, UnknownToken = unknown, PreTokenizer = WholeText.Instance });
    }

    private static bool IsSound(VocabularyData vocabulary, Dictionary<string, int> ids, string merge, int index)
    {
        ModelFormatException Error(string expected) => new(vocabulary.Source, $"{VocabularyData.Key("merges")}[{index}]", expected, $"\"{merge}\"");
        int space = merge.IndexOf(' ');
        if (space <= 0 || space == merge.Length - 1 || merge.LastIndexOf(' ') != space) throw Error("two tokens with a space between");
        foreach (string token in (ReadOnlySpan<string>)[merge[..space], merge[(space + 1)..], merge.Remove(space, 1)])
            if (!ids.ContainsKey(token)) throw Error($"parts and whole in the vocabulary, which lacks \"{token}\"");
        return true;
    }

    /// <summary>Stands in for the package's default pre-tokenizer, whose regex would be built and never used.</summary>
    private sealed class WholeText : PreTokenizer
    {
        public static readonly WholeText Instance = new();

        public override IEnumerable<(int Offset, int Length)> PreTokenize(string text) => [(0, text.Length)];

        public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => [(0, text.Length)];
    }
}
