using System.Collections.Frozen;

namespace Inference.Models;

/// <summary>All that a tokenizer is, whatever file it came from.</summary>
internal sealed record TokenizerDefinition
{
    /// <summary>Path of the file, for messages.</summary>
    public required string Source { get; init; }

    /// <summary>Spelling of each token as the file has it.</summary>
    public required string[] Tokens { get; init; }

    /// <summary>Type of each token.</summary>
    public required TokenType[] Types { get; init; }

    /// <summary>Bytes that each token stands for.</summary>
    public required TokenByteTable Bytes { get; init; }

    /// <summary>Added tokens that are matched in the text as it is; null for none.</summary>
    public AddedTokens? RawTokens { get; init; }

    /// <summary>Added tokens that are matched in the normalised text between those; null for none.</summary>
    public AddedTokens? NormalizedTokens { get; init; }

    /// <summary>Rewrites the text between raw tokens; null for none.</summary>
    public Normalizer? Normalizer { get; init; }

    /// <summary>Cuts text into pieces; null where the whole stretch is one.</summary>
    public PreTokenizer? PreTokenizer { get; init; }

    /// <summary>Encodes the pieces.</summary>
    public required TokenModel Model { get; init; }

    /// <summary>Tokens before a prompt.</summary>
    public int[] Prefix { get; init; } = [];

    /// <summary>Tokens after it.</summary>
    public int[] Suffix { get; init; } = [];

    public int? BosId { get; init; }

    public int? EosId { get; init; }

    /// <summary>Tokens that end a generation.</summary>
    public required FrozenSet<int> EndOfGeneration { get; init; }

    /// <summary>What of the decoded text is the encoder's own.</summary>
    public LeadingText Leading { get; init; }
}

/// <summary>What a decoder drops at the start of a sequence.</summary>
/// <param name="Character">An ASCII character.</param>
/// <param name="Count">How many of it at most.</param>
/// <param name="ExemptFirstTokens">Not null: instead all of them in the first token, wherever they stand, unless it is one of these.</param>
internal readonly record struct LeadingText(byte Character, int Count, FrozenSet<int>? ExemptFirstTokens)
{
    public static readonly LeadingText OneSpace = new((byte)' ', 1, ExemptFirstTokens: null);

    public bool IsWholeFirstToken => ExemptFirstTokens is not null;
}
