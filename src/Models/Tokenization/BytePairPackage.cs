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
        string[] merges = vocabulary.Merges!;
        Dictionary<string, int> ids = IdsOfText(vocabulary);
        try
        {
            return Create(vocabulary, ids, merges);
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            // It refuses the whole list for one bad or repeated entry, and does not say which. Repeated ones never take effect, so they can go.
            return Create(vocabulary, ids, [.. merges.Where((merge, index) => IsSound(vocabulary, ids, merge, index)).Distinct(StringComparer.Ordinal)]);
        }
    }

    /// <summary>Tokens by spelling; the first of equals, and text before special tokens.</summary>
    public static Dictionary<string, int> IdsOfText(VocabularyData vocabulary)
    {
        var ids = new Dictionary<string, int>(vocabulary.Tokens.Length, StringComparer.Ordinal);
        for (int id = 0; id < vocabulary.Tokens.Length; id++)
            if (vocabulary.Types[id] is TokenType.Normal or TokenType.Undefined) ids.TryAdd(vocabulary.Tokens[id], id);
        // Merges may pass through user-defined tokens.
        for (int id = 0; id < vocabulary.Tokens.Length; id++)
            if (vocabulary.Types[id] == TokenType.UserDefined) ids.TryAdd(vocabulary.Tokens[id], id);
        return ids;
    }

    private static BpeTokenizer Create(VocabularyData vocabulary, Dictionary<string, int> ids, string[] merges)
    {
        string? unknown = vocabulary.UnknownId is { } id ? vocabulary.Tokens[id] : null;
        if (unknown is not null) ids.TryAdd(unknown, vocabulary.UnknownId!.Value);
        return BpeTokenizer.Create(new BpeOptions(ids) { Merges = merges, ByteLevel = true, UnknownToken = unknown, PreTokenizer = WholeText.Instance });
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
