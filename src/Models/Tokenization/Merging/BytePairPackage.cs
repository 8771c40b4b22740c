using Microsoft.ML.Tokenizers;

namespace Inference.Models;

/// <summary>
/// Microsoft.ML.Tokenizers' byte-level BPE over a vocabulary. Only its merging is used: pre-tokenization, special tokens and normalisation are ours, because
/// the package's drop or reject text that they do not expect.
/// </summary>
internal static class BytePairPackage
{
    /// <summary>The package's tokenizer; null when it refuses the vocabulary, as it does for repeated merges and for tokens with spaces.</summary>
    public static BpeTokenizer? Create(BytePairVocabulary vocabulary)
    {
        try
        {
            string[] tokens = vocabulary.Tokens;
            var options = new BpeOptions(vocabulary.Ids)
            {
                Merges = vocabulary.Merges.Select(merge => $"{tokens[merge.Left]} {tokens[merge.Right]}"),
                ByteLevel = true,
                PreTokenizer = WholeText.Instance,
            };
            return BpeTokenizer.Create(options);
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Stands in for the package's default pre-tokenizer, whose regex would be built and never used.</summary>
    private sealed class WholeText : Microsoft.ML.Tokenizers.PreTokenizer
    {
        public static readonly WholeText Instance = new();

        public override IEnumerable<(int Offset, int Length)> PreTokenize(string text) => [(0, text.Length)];

        public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => [(0, text.Length)];
    }
}
