namespace Inference;

/// <summary>Why an answer ended.</summary>
public enum FinishReason
{
    /// <summary>An end token, a stop id or a stop string.</summary>
    Stop,

    /// <summary>The token limit or the context.</summary>
    Length,

    /// <summary>The caller cancelled.</summary>
    Cancelled,

    /// <summary>The engine failed; the exception says how.</summary>
    Error,
}

/// <summary>A token and the natural log of its probability in the unmodified distribution.</summary>
public readonly record struct TokenLogprob(int Id, float Logprob);

/// <summary>A token's log probability beside the most likely ones at its place, most likely first.</summary>
public sealed record TokenLogprobs(int Id, float Logprob, IReadOnlyList<TokenLogprob> Top);

/// <summary>One step of an answer. A value: an answer's tokens allocate nothing but what their parts do.</summary>
public readonly record struct GeneratedToken
{
    /// <summary>Position in the answer, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>Token id; null in the last item of an answer that an end token or stop string finished, which only carries what is left of the text.</summary>
    public required int? TokenId { get; init; }

    /// <summary>Text that became certain with this token: whole characters, never part of a stop string; often empty.</summary>
    public required string Text { get => field ?? ""; init; }

    /// <summary>What the model thinks before it answers, in a <see cref="ChatReply"/> of a reasoning model; not part of <see cref="Text"/>. Else empty.</summary>
    public string Reasoning { get => field ?? ""; init; }

    /// <summary>Log probabilities, when asked for.</summary>
    public TokenLogprobs? Logprobs { get; init; }

    /// <summary>64-bit hash of the raw logits row that this token was chosen from, when asked for.</summary>
    public ulong? LogitHash { get; init; }

    /// <summary>Set in the last item.</summary>
    public FinishReason? FinishReason { get; init; }
}
