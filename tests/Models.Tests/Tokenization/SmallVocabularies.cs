namespace Inference.Models.Tests;

/// <summary>Vocabularies small enough to derive ids by hand.</summary>
internal static class SmallVocabularies
{
    public const int Unknown = 0;
    public const int Bos = 1;
    public const int Eos = 2;

    /// <summary>Id of a SentencePiece byte token.</summary>
    public static int Byte(int value) => 3 + value;

    /// <summary>SentencePiece: unknown, BOS, EOS, 256 bytes, then what is given, in order from id 259.</summary>
    public static VocabularyData SentencePiece(params (string Text, float Score, TokenType Type)[] tokens) => new()
    {
        Source = "small",
        Model = "llama",
        Tokens = ["<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"), .. tokens.Select(token => token.Text)],
        Types = [TokenType.Unknown, TokenType.Control, TokenType.Control, .. Enumerable.Repeat(TokenType.Byte, 256), .. tokens.Select(token => token.Type)],
        Scores = [.. new float[259], .. tokens.Select(token => token.Score)],
        UnknownId = Unknown,
        BosId = Bos,
        EosId = Eos,
    };

    /// <summary>A SentencePiece vocabulary of normal tokens.</summary>
    public static VocabularyData SentencePiece(params (string Text, float Score)[] tokens) =>
        SentencePiece([.. tokens.Select(token => (token.Text, token.Score, TokenType.Normal))]);

    /// <summary>Byte-level: the 256 bytes (id = value), one token per merge, then the given specials.</summary>
    public static VocabularyData ByteLevel(string pre, string[] merges, params (string Text, TokenType Type)[] specials)
    {
        string[] merged = [.. merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal)).Distinct()];
        return new()
        {
            Source = "small",
            Model = "gpt2",
            Pre = pre,
            Tokens = [.. Enumerable.Range(0, 256).Select(value => $"{ByteAlphabet.Character((byte)value)}"), .. merged, .. specials.Select(special => special.Text)],
            Types = [.. Enumerable.Repeat(TokenType.Normal, 256 + merged.Length), .. specials.Select(special => special.Type)],
            Merges = merges,
        };
    }

    /// <summary>Ids of ASCII text in a byte-level vocabulary without merges.</summary>
    public static int[] Ascii(string text) => [.. text.Select(character => (int)character)];

    /// <summary>Encodes without BOS and EOS.</summary>
    public static int[] EncodeText(this Tokenizer tokenizer, string text, bool parseSpecial = true) => tokenizer.Encode(text, addSpecial: false, parseSpecial);
}
