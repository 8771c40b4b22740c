using System.Text;
using Microsoft.ML.Tokenizers;

namespace Inference.Models;

/// <summary>
/// Byte-level BPE (GGUF model <c>gpt2</c>): text is cut into pieces, and the UTF-8 bytes of each piece merge in the order of the merge list.
/// </summary>
internal sealed class ByteLevelTokenizer : Tokenizer
{
    /// <summary>Value of <c>tokenizer.ggml.model</c>.</summary>
    public const string Family = "gpt2";

    /// <summary>
    /// Longest piece, in characters, that the package encodes; its time grows with the square of the length (1 MB of one letter takes 40 to 70 s,
    /// 1,024 characters well under a millisecond). Longer ones go to <see cref="LongPieceMerger"/>.
    /// </summary>
    private const int LongestPackagePiece = 1024;

    private readonly PreTokenization pre;
    private readonly BpeTokenizer package;
    private readonly Lazy<LongPieceMerger> longPieces;
    private readonly Dictionary<string, int>? wholePieces;

    public ByteLevelTokenizer(VocabularyData vocabulary)
        : base(vocabulary, Spell(vocabulary), addBosByDefault: vocabulary.Pre is { } name && PreTokenization.Find(name) is { AddsBos: true })
    {
        string supported = string.Join(", ", PreTokenization.Names);
        pre = PreTokenization.Find(vocabulary.Pre ?? throw Error("pre", $"one of {supported}", "no such key")) ?? throw Error("pre", $"one of {supported}", vocabulary.Pre);
        if (pre.ComposesText && !Composition.Available)
            throw new PlatformNotSupportedException($"The pre-tokenization {vocabulary.Pre} needs Unicode normalisation, which .NET takes from ICU: install libicu, and leave InvariantGlobalization off.");
        if (vocabulary.Merges is null) throw Error("merges", "an array of string", "no such key");
        package = BytePairPackage.Create(vocabulary);
        longPieces = new Lazy<LongPieceMerger>(() => new LongPieceMerger(vocabulary));
        if (pre.WholePiecesFirst) wholePieces = BytePairPackage.IdsOfText(vocabulary);
    }

    protected override void EncodeText(ReadOnlySpan<char> text, bool first, List<int> ids)
    {
        if (pre.ComposesText) text = Composition.Compose(text);
        foreach ((int start, int length) in pre.Split(text))
        {
            ReadOnlySpan<char> piece = text.Slice(start, length);
            if (wholePieces is not null && TryFindWhole(piece, out int id)) ids.Add(id);
            else if (length > LongestPackagePiece) longPieces.Value.Encode(piece, ids);
            else ids.AddRange(package.EncodeToIds(piece, considerPreTokenization: false, considerNormalization: false));
        }
    }

    private bool TryFindWhole(ReadOnlySpan<char> piece, out int id)
    {
        const int longest = 256;
        id = 0;
        if (piece.Length > longest) return false;
        Span<char> spelled = stackalloc char[longest * 3];
        return wholePieces!.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(spelled[..ByteAlphabet.Spell(piece, spelled)], out id);
    }

    private static TokenByteTable Spell(VocabularyData vocabulary)
    {
        var table = new TokenByteTable(vocabulary.Tokens.Length);
        byte[] bytes = new byte[vocabulary.Tokens.Max(token => token.Length)];
        for (int id = 0; id < vocabulary.Tokens.Length; id++)
        {
            string token = vocabulary.Tokens[id];
            TokenType type = vocabulary.Types[id];
            if (type == TokenType.Unused) table.Add(ReadOnlySpan<byte>.Empty);
            // Special tokens are spelled as they are.
            else if (type is TokenType.Control or TokenType.UserDefined or TokenType.Unknown || !ByteAlphabet.TryRead(token, bytes)) table.Add(token.AsSpan());
            else table.Add(bytes.AsSpan(0, token.Length));
        }
        return table;
    }
}
