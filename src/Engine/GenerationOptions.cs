namespace Inference;

/// <summary>
/// How one request is sampled and when it ends. Logits pass through, in this order: bias, penalties (over prompt and output), temperature,
/// top-k, top-p, min-p. Ties go to the lower id. At temperature 0 the most likely token is taken after the penalties.
/// </summary>
public sealed record GenerationOptions
{
    /// <summary>Most tokens to generate. Default 256.</summary>
    public int MaxTokens { get; init; } = 256;

    /// <summary>End tokens and stop strings do not end the answer before this many tokens. Default 0.</summary>
    public int MinTokens { get; init; }

    /// <summary>Divides the logits; 0 is greedy. Default 0: the same answer every time.</summary>
    public float Temperature { get; init; }

    /// <summary>Keeps the k most likely tokens; 0 keeps all. Default 0.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps the fewest most likely tokens whose probabilities sum to at least this. Default 1: all. (Nucleus sampling, arXiv 1904.09751)</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Keeps tokens at least this fraction as likely as the most likely one. Default 0: all. (arXiv 2407.01082)</summary>
    public float MinP { get; init; }

    /// <summary>Positive logits of tokens that occurred are divided by this, negative ones multiplied. Default 1: off. (CTRL, arXiv 1909.05858)</summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Subtracted from a token's logit once for each time it occurred. Default 0.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Subtracted from the logit of each token that occurred. Default 0.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Added to the logits of these token ids, before everything else. Read on several threads at once where requests share it. Default none.</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>Seed of the random numbers, which are a function of (seed, <see cref="SampleIndex"/>, output position). Default null: drawn anew for each request.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Independent samples of one prompt that <see cref="InferenceEngine.GenerateSamplesAsync(string, GenerationOptions?, CancellationToken)"/> makes. Default 1.</summary>
    public int Samples { get; init; } = 1;

    /// <summary>Which of several samples of one prompt this is, or the first of <see cref="Samples"/>. Default 0.</summary>
    public int SampleIndex { get; init; }

    /// <summary>Strings that end the answer; they are not part of its text. Default none.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Token ids that end the answer, besides the model's own end tokens. Default none.</summary>
    public IReadOnlyList<int> StopTokenIds { get; init; } = [];

    /// <summary>Goes on past the model's end tokens. Default false.</summary>
    public bool IgnoreEos { get; init; }

    /// <summary>Whether the prompt's text may spell special tokens such as <c>&lt;|im_end|&gt;</c>. Default false: such text is plain text.</summary>
    public bool ParseSpecialTokens { get; init; }

    /// <summary>Null: no log probabilities. n: each token's own, and the n most likely ones (0 to 100). Natural logs of the unmodified distribution.</summary>
    public int? Logprobs { get; init; }

    /// <summary>The same for every token of the prompt. Default null.</summary>
    public int? PromptLogprobs { get; init; }

    /// <summary>Whether each token carries a hash of its raw logits row, to compare runs bit by bit. Default false.</summary>
    public bool LogitHash { get; init; }

    /// <summary>Scheduling class from -1000 to 1000; a higher number goes first, and waiting makes up for a lower one. Default 0.</summary>
    public int Priority { get; init; }

    /// <summary>On whose behalf this is asked: among waiting requests of a class, the tenant with the fewest running ones is served next. Default null, a tenant like any other.</summary>
    public string? Tenant { get; init; }

    /// <summary>Time within which the answer must be complete; later it ends with a <see cref="RequestTimeoutException"/>, also while it waits. Default null: no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// Requests with the same salt, and those without one, share what they have computed of common beginnings; requests with different salts share nothing. Give each tenant one of its own where
    /// nobody may learn from a quick first token what another has asked. Default null.
    /// </summary>
    public string? CacheSalt { get; init; }

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range; the message names it.</exception>
    internal void Validate(int vocabularySize)
    {
        Require(MaxTokens >= 1, nameof(MaxTokens), MaxTokens, "at least 1");
        Require(MinTokens >= 0, nameof(MinTokens), MinTokens, "at least 0");
        Require(Temperature >= 0 && float.IsFinite(Temperature), nameof(Temperature), Temperature, "0 or more");
        Require(TopK >= 0, nameof(TopK), TopK, "0 or more");
        Require(TopP is > 0 and <= 1, nameof(TopP), TopP, "in (0, 1]");
        Require(MinP is >= 0 and <= 1, nameof(MinP), MinP, "in [0, 1]");
        Require(RepetitionPenalty > 0 && float.IsFinite(RepetitionPenalty), nameof(RepetitionPenalty), RepetitionPenalty, "greater than 0");
        Require(float.IsFinite(FrequencyPenalty), nameof(FrequencyPenalty), FrequencyPenalty, "finite");
        Require(float.IsFinite(PresencePenalty), nameof(PresencePenalty), PresencePenalty, "finite");
        Require(Samples is >= 1 and <= 1024, nameof(Samples), Samples, "from 1 to 1024");
        Require(SampleIndex >= 0, nameof(SampleIndex), SampleIndex, "0 or more");
        Require(Logprobs is null or (>= 0 and <= 100), nameof(Logprobs), Logprobs, "from 0 to 100");
        Require(PromptLogprobs is null or (>= 0 and <= 100), nameof(PromptLogprobs), PromptLogprobs, "from 0 to 100");
        Require(Math.Abs((long)Priority) <= 1000, nameof(Priority), Priority, "from -1000 to 1000");
        Require(Timeout is null || Timeout >= TimeSpan.Zero, nameof(Timeout), Timeout, "0 or more");
        foreach (string stop in Stop) Require(!string.IsNullOrEmpty(stop), nameof(Stop), stop, "not empty");
        foreach (int id in StopTokenIds) Require((uint)id < (uint)vocabularySize, nameof(StopTokenIds), id, $"from 0 to {vocabularySize - 1}");
        foreach ((int id, float bias) in LogitBias ?? new Dictionary<int, float>())
        {
            Require((uint)id < (uint)vocabularySize, nameof(LogitBias), id, $"from 0 to {vocabularySize - 1}");
            Require(!float.IsNaN(bias), nameof(LogitBias), bias, "a number");
        }
    }

    private static void Require(bool condition, string name, object? value, string expected)
    {
        if (!condition) throw new ArgumentOutOfRangeException(name, value, $"{name} must be {expected}");
    }
}
