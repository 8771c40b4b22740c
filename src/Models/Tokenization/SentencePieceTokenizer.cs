using System.Buffers;
using System.Globalization;
using System.Text;

namespace Inference.Models;

/// <summary>
/// SentencePiece BPE (GGUF model <c>llama</c>): spaces become <c>▁</c>, code points merge by the score of the merged token, leftmost among equals, and what
/// has no token is spelled in byte tokens. The whole stretch of text is merged at once; there is no pre-tokenization.
/// </summary>
internal sealed class SentencePieceTokenizer : Tokenizer
{
    /// <summary>Value of <c>tokenizer.ggml.model</c>.</summary>
    public const string Family = "llama";

    private const char Space = '▁';
    private const int None = -1;

    private readonly Dictionary<string, int> pieces;
    private readonly int[] ranks;
    private readonly int[] byteIds = new int[256];
    private readonly int longestPiece;
    private readonly int? unknownId;
    private readonly SpacePrefix prefix;

    public SentencePieceTokenizer(VocabularyData vocabulary)
        : base(vocabulary, Spell(vocabulary), addBosByDefault: true)
    {
        float[] scores = vocabulary.Scores ?? throw Error("scores", "a score per token", "no such key");
        ranks = Rank(scores);
        pieces = new Dictionary<string, int>(vocabulary.Tokens.Length, StringComparer.Ordinal);
        Array.Fill(byteIds, None);
        for (int id = 0; id < vocabulary.Tokens.Length; id++)
        {
            string token = vocabulary.Tokens[id];
            // Only these come out of merging: text that spells a byte or a control token stays text.
            if (vocabulary.Types[id] is TokenType.Normal or TokenType.Undefined && pieces.TryAdd(token, id)) longestPiece = Math.Max(longestPiece, token.Length);
            else if (vocabulary.Types[id] == TokenType.Byte && TryParseByte(token, out byte value)) byteIds[value] = id;
        }
        int unknown = Array.IndexOf(vocabulary.Types, TokenType.Unknown);
        unknownId = vocabulary.UnknownId ?? (unknown >= 0 ? unknown : null);
        if (unknownId is null && byteIds.Contains(None)) throw Error("unknown_token_id", "an id, since the byte tokens <0x00> to <0xFF> are incomplete", "no such key");
        prefix = PrefixOf(vocabulary);
    }

    /// <summary>Where the encoder adds a space of its own.</summary>
    private enum SpacePrefix
    {
        Never,

        /// <summary>At the start of the text, unless a space is there.</summary>
        First,

        /// <summary>Before every stretch between special tokens.</summary>
        Always,
    }

    protected internal override bool DropsLeadingSpace => prefix != SpacePrefix.Never;

    /// <summary>Parses the spelling <c>&lt;0xNN&gt;</c>.</summary>
    public static bool TryParseByte(ReadOnlySpan<char> token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x") && token[5] == '>' && byte.TryParse(token[3..5], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    protected override void EncodeText(ReadOnlySpan<char> text, bool first, List<int> ids)
    {
        char[] buffer = ArrayPool<char>.Shared.Rent(text.Length + 1);
        bool prefixed = prefix == SpacePrefix.Always || (prefix == SpacePrefix.First && first && text[0] is not (' ' or Space));
        int length = prefixed ? text.Length + 1 : text.Length;
        buffer[0] = Space;
        text.Replace(buffer.AsSpan(length - text.Length), ' ', Space);
        Merge(buffer.AsSpan(0, length), ids);
        ArrayPool<char>.Shared.Return(buffer);
    }

    /// <param name="text">Text in which <c>▁</c> stands for a space.</param>
    /// <param name="ids">Where the tokens go.</param>
    private void Merge(ReadOnlySpan<char> text, List<int> ids)
    {
        var lookup = pieces.GetAlternateLookup<ReadOnlySpan<char>>();
        using var chain = new SymbolChain(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            int width = char.IsHighSurrogate(text[i]) ? 2 : 1;
            chain.Add(i, lookup.TryGetValue(text.Slice(i, width), out int id) ? id : None);
            i += width - 1;
        }
        chain.MergeAll(new PieceRule(text, lookup, ranks, longestPiece));
        bool afterUnknown = false;
        for (int symbol = chain.First; symbol >= 0; symbol = chain.Next(symbol))
        {
            int end = chain.Next(symbol) is >= 0 and var next ? chain.Start(next) : text.Length;
            if (chain.Id(symbol) != None) ids.Add(chain.Id(symbol));
            else if (!TryAddBytes(text[chain.Start(symbol)..end], ids))
            {
                // A run of unknown characters is one unknown token.
                if (!afterUnknown) ids.Add(unknownId!.Value);
                afterUnknown = true;
                continue;
            }
            afterUnknown = false;
        }
    }

    private bool TryAddBytes(ReadOnlySpan<char> character, List<int> ids)
    {
        Span<byte> bytes = stackalloc byte[4];
        bytes = bytes[..Encoding.UTF8.GetBytes(character, bytes)];
        foreach (byte value in bytes)
            if (byteIds[value] == None) return false;
        foreach (byte value in bytes) ids.Add(byteIds[value]);
        return true;
    }

    /// <summary>Position of each token's score among the distinct scores, the highest first: an int that orders like the score, so that a heap key holds it.</summary>
    private static int[] Rank(float[] scores)
    {
        float[] distinct = [.. scores.Distinct().OrderDescending()];
        var rankOf = new Dictionary<float, int>(distinct.Length);
        for (int rank = 0; rank < distinct.Length; rank++) rankOf.Add(distinct[rank], rank);
        return Array.ConvertAll(scores, score => rankOf[score]);
    }

    /// <summary>
    /// GGUF's flag does not tell two rules apart. The tokenizers whose instruction marks are control tokens (Mistral v3 and later) add the space at the
    /// start of the text only; the older ones add it after every special token as well.
    /// </summary>
    private static SpacePrefix PrefixOf(VocabularyData vocabulary)
    {
        if (vocabulary.AddSpacePrefix == false) return SpacePrefix.Never;
        int mark = Array.IndexOf(vocabulary.Tokens, "[INST]");
        return mark >= 0 && vocabulary.Types[mark] == TokenType.Control ? SpacePrefix.First : SpacePrefix.Always;
    }

    private static TokenByteTable Spell(VocabularyData vocabulary)
    {
        var table = new TokenByteTable(vocabulary.Tokens.Length);
        for (int id = 0; id < vocabulary.Tokens.Length; id++)
        {
            string token = vocabulary.Tokens[id];
            if (vocabulary.Types[id] == TokenType.Unused) table.Add(ReadOnlySpan<byte>.Empty);
            else if (vocabulary.Types[id] == TokenType.Byte && TryParseByte(token, out byte value)) table.Add([value]);
            else table.Add(token.Replace(Space, ' '));
        }
        return table;
    }

    /// <summary>Neighbours merge when their joined text is a token; its score ranks them.</summary>
    private readonly ref struct PieceRule(ReadOnlySpan<char> text, Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> pieces, int[] ranks, int longestPiece) : IMergeRule
    {
        private readonly ReadOnlySpan<char> text = text;

        public bool TryMerge(in SymbolChain chain, int left, int right, out int rank, out int id)
        {
            int start = chain.Start(left);
            int end = chain.Next(right) is >= 0 and var next ? chain.Start(next) : text.Length;
            rank = 0;
            id = None;
            if (end - start > longestPiece || !pieces.TryGetValue(text[start..end], out id)) return false;
            rank = ranks[id];
            return true;
        }
    }
}
