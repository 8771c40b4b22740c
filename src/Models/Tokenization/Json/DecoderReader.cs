using System.Collections.Frozen;

namespace Inference.Models;

/// <summary>
/// Reads the <c>decoder</c> of a tokenizer.json. What the supported ones do to a token does not depend on its neighbours, so the bytes of every token are made
/// once; only what is dropped at the start of a sequence is left for later.
/// </summary>
internal sealed class DecoderReader
{
    private const string Supported = "Sequence, ByteLevel, Metaspace, Replace, ByteFallback, Fuse or Strip";

    private readonly List<Func<string, string>> steps = [];
    private bool byteLevel;
    private bool byteFallback;
    private bool fused;
    private bool dropsFirst;
    private LeadingText leading;

    public void Read(JsonPart part)
    {
        if (!part.Exists)
        {
            // The reference joins tokens with spaces then.
            steps.Add(token => " " + token);
            leading = LeadingText.OneSpace;
            return;
        }
        string type = part["type"].Text();
        if (fused && type is not ("Sequence" or "Strip" or "Fuse")) throw new ModelFormatException(part.File, part.Path, "Strip or nothing after Fuse", type);
        switch (type)
        {
            case "Sequence":
                foreach (JsonPart decoder in part["decoders"].Elements()) Read(decoder);
                break;
            case "ByteLevel":
                byteLevel = true;
                break;
            case "ByteFallback":
                byteFallback = true;
                break;
            case "Fuse":
                fused = true;
                break;
            case "Metaspace":
                ReadMetaspace(part);
                break;
            case "Replace":
                ReadReplace(part);
                break;
            case "Strip":
                ReadStrip(part);
                break;
            default:
                throw part["type"].Error(Supported);
        }
    }

    /// <summary>The bytes of every token; an id without a token has none.</summary>
    public TokenByteTable MakeTable(string?[] tokens)
    {
        var table = new TokenByteTable(tokens.Length);
        byte[] bytes = new byte[tokens.Max(token => token?.Length ?? 0) + 1];
        foreach (string? token in tokens)
        {
            string text = token ?? "";
            foreach (Func<string, string> step in steps) text = step(text);
            if (token is null) table.Add(ReadOnlySpan<byte>.Empty);
            else if (byteFallback && ByteFallback.TryParse(token, out byte value)) table.Add([value]);
            else if (byteLevel && text.Length <= bytes.Length && ByteAlphabet.TryRead(text, bytes)) table.Add(bytes.AsSpan(0, text.Length));
            else table.Add(text.AsSpan());
        }
        return table;
    }

    /// <summary>What is dropped at the start of a sequence.</summary>
    public LeadingText MakeLeading(string?[] tokens)
    {
        if (!dropsFirst) return leading;
        // Metaspace drops its own character in the first token, and not the spaces that a token spells.
        return new LeadingText((byte)' ', 0, Enumerable.Range(0, tokens.Length).Where(id => tokens[id]?.Contains(' ', StringComparison.Ordinal) == true).ToFrozenSet());
    }

    private void ReadMetaspace(JsonPart part)
    {
        char replacement = part["replacement"] is { Exists: true } given ? given.Character() : '▁';
        steps.Add(token => token.Replace(replacement, ' '));
        dropsFirst = PreTokenizerReader.ReadScheme(part) != PrependScheme.Never;
    }

    private void ReadReplace(JsonPart part)
    {
        JsonPart pattern = part["pattern"];
        string to = part["content"].Text();
        if (pattern["String"] is { Exists: true } from)
        {
            string text = from.Text() is { Length: > 0 } found ? found : throw from.Error("a text that is not empty");
            if (text.Length == 1 && to.Length == 1) steps.Add(token => token.Replace(text[0], to[0]));
            else steps.Add(token => token.Replace(text, to, StringComparison.Ordinal));
            return;
        }
        var replace = new PatternReplaceNormalizer(PatternReader.Read(pattern), to);
        steps.Add(token => token.Length == 0 ? token : replace.Apply(token));
    }

    private void ReadStrip(JsonPart part)
    {
        char content = part["content"].Character();
        int start = part["start"].IntegerOr(0), stop = part["stop"].IntegerOr(0);
        if (start < 0 || stop < 0) throw part.Error("counts of 0 or more");
        if (!fused)
        {
            steps.Add(token => Strip(token, content, start, stop));
            return;
        }
        if (stop > 0) throw part["stop"].Error("0 after Fuse");
        if (!char.IsAscii(content)) throw part["content"].Error("an ASCII character after Fuse");
        if (start > 0) leading = new LeadingText((byte)content, start, ExemptFirstTokens: null);
    }

    private static string Strip(string token, char content, int start, int stop)
    {
        int from = 0, to = token.Length;
        while (from < to && from < start && token[from] == content) from++;
        while (to > from && token.Length - to < stop && token[to - 1] == content) to--;
        return token[from..to];
    }
}
