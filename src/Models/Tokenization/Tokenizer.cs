using System.Buffers;
using System.Text;
using Inference.Models.Templates;

namespace Inference.Models;

/// <summary>
/// Text to token ids and back, with Hugging Face's results: added tokens are split off, the text between them is normalised and cut into pieces, and the
/// model encodes each piece. Immutable but for caches, safe for concurrent use.
/// </summary>
internal sealed class Tokenizer
{
    private readonly TokenizerDefinition definition;
    private Scratch? spare;

    /// <exception cref="ModelFormatException">The definition contradicts itself.</exception>
    public Tokenizer(TokenizerDefinition definition) => this.definition = definition;

    public int VocabularySize => definition.Tokens.Length;

    public int? BosId => definition.BosId;

    public int? EosId => definition.EosId;

    /// <summary>Ids that end a generation: the file's end ids, and control tokens spelled like a known end marker.</summary>
    public IReadOnlySet<int> EndOfGeneration => definition.EndOfGeneration;

    /// <summary>What of the decoded text is the encoder's own and is dropped.</summary>
    internal LeadingText Leading => definition.Leading;

    /// <summary>
    /// Reads a tokenizer from a GGUF file (also one that holds a vocabulary only), a tokenizer.json, or a Hugging Face folder, given by itself or by a safetensors
    /// file in it.
    /// </summary>
    /// <exception cref="ModelFormatException">The tokenizer is damaged or of a kind that is not supported.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Tokenizer Open(string path)
    {
        if (WeightFiles.IsFolderPath(path)) return new Tokenizer(FolderTokenizer.Read(WeightFiles.FolderOf(path), rows: null));
        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)) return new Tokenizer(TokenizerJson.Read(path));
        using GgufFile file = GgufFile.Open(SplitName.MetadataFile(path));
        return FromGguf(file);
    }

    /// <exception cref="ModelFormatException">The file's tokenizer is damaged or of a kind that is not supported.</exception>
    public static Tokenizer FromGguf(GgufFile file) => Create(VocabularyData.Read(file));

    /// <inheritdoc cref="FromGguf"/>
    public static Tokenizer Create(VocabularyData vocabulary) => new(GgufTokenizer.Define(vocabulary));

    /// <param name="text">Any string; an unpaired surrogate counts as U+FFFD.</param>
    /// <param name="addSpecial">Put the tokens before and after the text that the model wants around a prompt, such as BOS. Off for text that a chat template made.</param>
    /// <param name="parseSpecial">Take text that spells a control or user-defined token as that token. Off for untrusted text, where it stays plain text.</param>
    public int[] Encode(string text, bool addSpecial, bool parseSpecial) => Encode(text, 0, addSpecial, parseSpecial, default);

    /// <summary>
    /// A prompt that a chat template made. The template's own text spells control tokens, users' text never does; between special tokens all is encoded as one
    /// text, so that the ids are those of <see cref="Encode(string, bool, bool)"/> wherever users spell no markup. See <see cref="UserText"/>.
    /// </summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="start">Where to begin, in UTF-16 units: what stands before is not encoded. Default 0.</param>
    public int[] EncodePrompt(RenderedPrompt prompt, int start = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)start, (uint)prompt.Text.Length);
        return Encode(prompt.Text, start, addSpecial: false, parseSpecial: true, new UserText(prompt.UserRanges));
    }

    private int[] Encode(string text, int start, bool addSpecial, bool parseSpecial, UserText user)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = Surrogates.Repair(text);
        Scratch scratch = Interlocked.Exchange(ref spare, null) ?? new Scratch();
        List<int> ids = scratch.Ids;
        if (addSpecial) ids.AddRange(definition.Prefix);
        int done = start, resume = start;
        while (parseSpecial && definition.RawTokens is { } added && added.TryFind(text, resume, done, out AddedTokens.Match match, user, definition))
        {
            EncodeStretch(text, done, match.Start, parseSpecial, user, scratch);
            ids.Add(match.Id);
            (done, resume) = (match.End, match.Resume);
        }
        EncodeStretch(text, done, text.Length, parseSpecial, user, scratch);
        if (addSpecial) ids.AddRange(definition.Suffix);
        int[] result = [.. ids];
        if (scratch.Reset()) Volatile.Write(ref spare, scratch);
        return result;
    }

    /// <summary>The text of a whole sequence; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="ids">Ids below <see cref="VocabularySize"/>.</param>
    /// <param name="skipSpecial">Leave out control and unknown tokens instead of spelling them.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial)
    {
        int length = 0;
        foreach (int id in ids) length += TokenBytes(id).Length;
        byte[] bytes = ArrayPool<byte>.Shared.Rent(length);
        int count = 0;
        var start = new SequenceStart(definition.Leading);
        foreach (int id in ids)
            if (!skipSpecial || !IsSpecial(id)) count += start.Copy(id, TokenBytes(id), bytes.AsSpan(count));
        string text = Encoding.UTF8.GetString(bytes, 0, count);
        ArrayPool<byte>.Shared.Return(bytes);
        return text;
    }

    /// <summary>A decoder that is fed one id at a time.</summary>
    /// <param name="skipSpecial">As for <see cref="Decode"/>.</param>
    /// <param name="continuation">The ids follow a prompt, so that a leading space of the first is text. False: they begin the sequence.</param>
    public StreamDecoder CreateStream(bool skipSpecial = true, bool continuation = false) => new(this, skipSpecial, continuation ? default : definition.Leading);

    /// <summary>The bytes that a token stands for, perhaps a part of a character. A control token's are its spelling; an unused token has none.</summary>
    public ReadOnlySpan<byte> TokenBytes(int id) => definition.Bytes[Check(id)];

    /// <summary>A token as the vocabulary spells it.</summary>
    public string Spelling(int id) => definition.Tokens[Check(id)];

    /// <summary>Whether a decoder that skips special tokens leaves this one out.</summary>
    public bool IsSpecial(int id) => definition.Types[Check(id)] is TokenType.Control or TokenType.Unknown;

    /// <summary>Encodes text between raw added tokens.</summary>
    private void EncodeStretch(string text, int start, int end, bool parseSpecial, UserText user, Scratch scratch)
    {
        if (end <= start) return;
        bool first = start == 0;
        ReadOnlyMemory<char> stretch = text.AsMemory(start, end - start);
        UserText ofStretch = user.From(start);
        if (definition.Normalizer is { } normalizer)
        {
            stretch = normalizer.Apply(stretch.Length == text.Length ? text : stretch.ToString()).AsMemory();
            // Which characters of a rewritten text are a user's is not known any more.
            if (!user.IsEmpty && !stretch.Span.SequenceEqual(text.AsSpan(start, end - start))) ofStretch = user.Blurred(start, end);
        }
        int done = 0, resume = 0;
        while (parseSpecial && definition.NormalizedTokens is { } added && added.TryFind(stretch.Span, resume, done, out AddedTokens.Match match, ofStretch, definition))
        {
            if (match.Start > done) EncodeText(stretch[done..match.Start], first && done == 0, scratch);
            scratch.Ids.Add(match.Id);
            (done, resume) = (match.End, match.Resume);
        }
        EncodeText(stretch[done..], first && done == 0, scratch);
    }

    private void EncodeText(ReadOnlyMemory<char> text, bool first, Scratch scratch)
    {
        if (text.IsEmpty) return;
        if (definition.PreTokenizer is null)
        {
            definition.Model.Encode(text.Span, scratch.Ids);
            return;
        }
        scratch.Pieces.Reset(text);
        try
        {
            definition.PreTokenizer.Split(scratch.Pieces, first);
        }
        catch (PatternBudgetException exception)
        {
            throw new ModelFormatException(definition.Source, "pre_tokenizer", "a pattern that matches in linear time", exception.Message);
        }
        ReadOnlySpan<char> cut = scratch.Pieces.Text.Span;
        foreach ((int start, int end) in scratch.Pieces.Pieces) definition.Model.Encode(cut[start..end], scratch.Ids);
    }

    private int Check(int id)
    {
        if ((uint)id >= (uint)VocabularySize) throw new ArgumentOutOfRangeException(nameof(id), id, $"The vocabulary has {VocabularySize} tokens.");
        return id;
    }

    /// <summary>What one call works with, kept for the next one.</summary>
    private sealed class Scratch
    {
        private const int KeptIds = 1 << 16;

        public List<int> Ids { get; } = new(256);

        public PieceList Pieces { get; } = new();

        /// <summary>Empties it.</summary>
        /// <returns>False when it has grown too large to keep.</returns>
        public bool Reset()
        {
            Ids.Clear();
            Pieces.Clear();
            return Ids.Capacity <= KeptIds && !Pieces.IsLarge;
        }
    }
}
