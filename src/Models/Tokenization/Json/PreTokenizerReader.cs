namespace Inference.Models;

/// <summary>Reads the <c>pre_tokenizer</c> of a tokenizer.json.</summary>
internal sealed class PreTokenizerReader
{
    private const string Supported = "Sequence, ByteLevel, Split, Digits, Metaspace, Punctuation, Whitespace, WhitespaceSplit or CharDelimiterSplit";

    /// <summary>Whether the pieces are then spelled in bytes.</summary>
    public bool IsByteLevel { get; private set; }

    /// <returns>Null for none.</returns>
    public PreTokenizer? Read(JsonPart part)
    {
        if (!part.Exists) return null;
        string type = part["type"].Text();
        if (IsByteLevel && type != "Sequence") throw new ModelFormatException(part.File, part.Path, "nothing after ByteLevel, which spells the text in bytes", type);
        switch (type)
        {
            case "Sequence":
                PreTokenizer[] steps = [.. part["pretokenizers"].Elements().Select(Read).OfType<PreTokenizer>()];
                return steps.Length switch { 0 => null, 1 => steps[0], _ => new PreTokenizerSequence(steps) };
            case "ByteLevel": return ReadByteLevel(part);
            case "Split": return new PatternSplit(PatternReader.Read(part["pattern"]), ReadBehavior(part["behavior"]), part["invert"].FlagOr(false));
            case "Digits": return Split(part["individual_digits"].FlagOr(false) ? KnownPatterns.OneNumber : KnownPatterns.Numbers, SplitBehavior.Isolated);
            case "Metaspace": return ReadMetaspace(part);
            case "Punctuation": return Split(@"[!-/:-@\[-`{-~\p{P}]", part["behavior"] is { Exists: true } behavior ? ReadBehavior(behavior) : SplitBehavior.Isolated);
            case "Whitespace": return new PatternSplit(TextPattern.WordsAndSymbols(), SplitBehavior.Removed, invert: true);
            case "WhitespaceSplit": return Split(@"\s", SplitBehavior.Removed);
            case "CharDelimiterSplit": return new PatternSplit(TextPattern.Literal(part["delimiter"].Text() is { Length: > 0 } text ? text : throw part["delimiter"].Error("a character")), SplitBehavior.Removed);
            default: throw part["type"].Error(Supported);
        }
    }

    /// <summary>Where a space is put in front; older files say it with a flag.</summary>
    public static PrependScheme ReadScheme(JsonPart part)
    {
        JsonPart scheme = part["prepend_scheme"];
        if (!scheme.Exists) return part["add_prefix_space"].FlagOr(true) ? PrependScheme.Always : PrependScheme.Never;
        return scheme.Text() switch
        {
            "first" => PrependScheme.First,
            "always" => PrependScheme.Always,
            "never" => PrependScheme.Never,
            _ => throw scheme.Error("first, always or never"),
        };
    }

    private PreTokenizer? ReadByteLevel(JsonPart part)
    {
        IsByteLevel = true;
        var steps = new List<PreTokenizer>();
        if (part["add_prefix_space"].FlagOr(true)) steps.Add(new SpacePrefix());
        if (part["use_regex"].FlagOr(true)) steps.Add(Split(KnownPatterns.Gpt2, SplitBehavior.Isolated));
        return steps.Count switch { 0 => null, 1 => steps[0], _ => new PreTokenizerSequence([.. steps]) };
    }

    private static Metaspace ReadMetaspace(JsonPart part) => new(
        part["replacement"] is { Exists: true } replacement ? replacement.Character() : '▁',
        ReadScheme(part),
        part["split"].FlagOr(true));

    private static SplitBehavior ReadBehavior(JsonPart part) => part.Text() switch
    {
        "Isolated" => SplitBehavior.Isolated,
        "Removed" => SplitBehavior.Removed,
        "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" => SplitBehavior.MergedWithNext,
        "Contiguous" => SplitBehavior.Contiguous,
        _ => throw part.Error("Isolated, Removed, MergedWithPrevious, MergedWithNext or Contiguous"),
    };

    private static PatternSplit Split(string pattern, SplitBehavior behavior) => new(TextPattern.Parse(pattern), behavior);
}
