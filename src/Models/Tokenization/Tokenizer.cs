using System.Buffers;
using System.Collections.Frozen;
using System.Text;

namespace Inference.Models;

/// <summary>
/// Text to token ids and back. Special tokens are split off first, the family (<see cref="SentencePieceTokenizer"/>,
/// <see cref="ByteLevelTokenizer"/>) encodes the text between them. Immutable once made, safe for concurrent use.
/// </summary>
internal abstract class Tokenizer
{
    private readonly VocabularyData vocabulary;
    private readonly TokenByteTable tokenBytes;
    private readonly SpecialTokens specials;
    private readonly FrozenSet<int> endOfGeneration;
    private readonly bool addBos;
    private readonly bool addEos;

    /// <param name="vocabulary">What the file says.</param>
    /// <param name="tokenBytes">Bytes that each token stands for.</param>
    /// <param name="addBosByDefault">Whether the family begins a prompt with BOS when the file does not say.</param>
    /// <exception cref="ModelFormatException">The file contradicts itself.</exception>
    protected Tokenizer(VocabularyData vocabulary, TokenByteTable tokenBytes, bool addBosByDefault)
    {
        this.vocabulary = vocabulary;
        this.tokenBytes = tokenBytes;
        specials = new SpecialTokens(vocabulary);
        endOfGeneration = EndMarkers.Of(vocabulary);
        addBos = vocabulary.AddBos ?? (addBosByDefault && vocabulary.BosId is not null);
        addEos = vocabulary.AddEos ?? false;
        if (addBos && vocabulary.BosId is null) throw Error("bos_token_id", "an id, since add_bos_token is true", "no such key");
        if (addEos && vocabulary.EosId is null) throw Error("eos_token_id", "an id, since add_eos_token is true", "no such key");
    }

    public int VocabularySize => vocabulary.Tokens.Length;

    public int? BosId => vocabulary.BosId;

    public int? EosId => vocabulary.EosId;

    /// <summary>Ids that end a generation: the file's end ids, and control tokens spelled like a known end marker.</summary>
    public IReadOnlySet<int> EndOfGeneration => endOfGeneration;

    /// <summary>Whether a leading space of the decoded text is the encoder's own and is dropped.</summary>
    protected internal virtual bool DropsLeadingSpace => false;

    /// <exception cref="ModelFormatException">The file's tokenizer is damaged or of a kind that is not supported.</exception>
    public static Tokenizer FromGguf(GgufFile file) => Create(VocabularyData.Read(file));

    /// <inheritdoc cref="FromGguf"/>
    public static Tokenizer Create(VocabularyData vocabulary)
    {
        Validate(vocabulary);
        return vocabulary.Model switch
        {
            SentencePieceTokenizer.Family => new SentencePieceTokenizer(vocabulary),
            ByteLevelTokenizer.Family => new ByteLevelTokenizer(vocabulary),
            _ => throw new ModelFormatException(vocabulary.Source, VocabularyData.Key("model"), $"{SentencePieceTokenizer.Family} or {ByteLevelTokenizer.Family}", vocabulary.Model),
        };
    }

    /// <param name="text">Any string; an unpaired surrogate counts as U+FFFD.</param>
    /// <param name="addSpecial">Put BOS before and EOS after the text if the model wants them. Off for text that a chat template made.</param>
    /// <param name="parseSpecial">Take text that spells a control or user-defined token as that token. Off for untrusted text, where it stays plain text.</param>
    public int[] Encode(string text, bool addSpecial, bool parseSpecial)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(text.Length / 4 + 8);
        if (addSpecial && addBos) ids.Add(BosId!.Value);
        ReadOnlySpan<char> rest = Surrogates.Repair(text);
        bool first = true;
        while (parseSpecial && specials.TryFind(rest, out int start, out int length, out int id))
        {
            if (start > 0) EncodeText(rest[..start], first, ids);
            ids.Add(id);
            rest = rest[(start + length)..];
            first = false;
        }
        if (!rest.IsEmpty) EncodeText(rest, first, ids);
        if (addSpecial && addEos) ids.Add(EosId!.Value);
        return [.. ids];
    }

    /// <summary>The text of a whole sequence; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="ids">Ids below <see cref="VocabularySize"/>.</param>
    /// <param name="skipSpecial">Leave out control and unknown tokens instead of spelling them.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial)
    {
        var bytes = new ArrayBufferWriter<byte>(ids.Length * 4 + 16);
        foreach (int id in ids)
            if (!skipSpecial || !IsSpecial(id)) bytes.Write(TokenBytes(id));
        ReadOnlySpan<byte> all = bytes.WrittenSpan;
        if (DropsLeadingSpace && all.StartsWith(" "u8)) all = all[1..];
        return Encoding.UTF8.GetString(all);
    }

    /// <summary>A decoder that is fed one id at a time.</summary>
    /// <param name="skipSpecial">As for <see cref="Decode"/>.</param>
    /// <param name="continuation">The ids follow a prompt, so that a leading space of the first is text. False: they begin the sequence.</param>
    public StreamDecoder CreateStream(bool skipSpecial = true, bool continuation = false) => new(this, skipSpecial, dropLeadingSpace: DropsLeadingSpace && !continuation);

    /// <summary>The bytes that a token stands for, perhaps a part of a character. A control token's are its spelling; an unused token has none.</summary>
    public ReadOnlySpan<byte> TokenBytes(int id) => tokenBytes[Check(id)];

    /// <summary>A token as the vocabulary spells it.</summary>
    public string Spelling(int id) => vocabulary.Tokens[Check(id)];

    /// <summary>Whether a decoder that skips special tokens leaves this one out.</summary>
    public bool IsSpecial(int id) => vocabulary.Types[Check(id)] is TokenType.Control or TokenType.Unknown;

    /// <summary>Appends the ids of text that holds no special token.</summary>
    /// <param name="text">Not empty, well-formed UTF-16.</param>
    /// <param name="first">The text stands at the start of the string that is encoded.</param>
    /// <param name="ids">Where to.</param>
    protected abstract void EncodeText(ReadOnlySpan<char> text, bool first, List<int> ids);

    protected ModelFormatException Error(string key, string expected, string found) => new(vocabulary.Source, VocabularyData.Key(key), expected, found);

    private int Check(int id)
    {
        if ((uint)id >= (uint)VocabularySize) throw new ArgumentOutOfRangeException(nameof(id), id, $"The vocabulary has {VocabularySize} tokens.");
        return id;
    }

    private static void Validate(VocabularyData vocabulary)
    {
        int count = vocabulary.Tokens.Length;
        ModelFormatException Error(string key, string expected, string found) => new(vocabulary.Source, VocabularyData.Key(key), expected, found);
        if (count == 0) throw Error("tokens", "at least one token", "none");
        if (vocabulary.Types.Length != count) throw Error("token_type", $"{count} entries, one per token", $"{vocabulary.Types.Length}");
        if (vocabulary.Scores is { } scores && scores.Length != count) throw Error("scores", $"{count} entries, one per token", $"{scores.Length}");
        int bad = Array.FindIndex(vocabulary.Types, type => type is < TokenType.Undefined or > TokenType.Byte);
        if (bad >= 0) throw Error($"token_type[{bad}]", "0 to 6", $"{(int)vocabulary.Types[bad]}");
        foreach (int? id in (ReadOnlySpan<int?>)[vocabulary.BosId, vocabulary.EosId, vocabulary.UnknownId, vocabulary.PaddingId, vocabulary.EotId, vocabulary.EomId])
            if (id is { } value && (uint)value >= (uint)count) throw Error("*_token_id", $"ids below {count}", $"{value}");
    }
}
