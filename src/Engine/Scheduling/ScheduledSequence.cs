using Inference.KvCache;

namespace Inference.Scheduling;

/// <summary>One request as the scheduler sees it: its tokens, how far they are computed, and its cache.</summary>
internal sealed class ScheduledSequence
{
    /// <summary><see cref="MaxTokens"/> of a request that goes on until it is told to stop or its context is full.</summary>
    public const int Unbounded = int.MaxValue;

    /// <summary>Priority classes lie within plus and minus this, so that aging cannot overflow.</summary>
    public const int MaxPriority = 1000;

    private int[] _tokens;

    /// <param name="id">Name of the sequence in messages.</param>
    /// <param name="prompt">Token ids, at least one; copied.</param>
    /// <param name="maxTokens">Tokens to generate at most; 0 only computes the prompt, <see cref="Unbounded"/> sets no limit.</param>
    /// <param name="priority">Priority class, higher goes first.</param>
    /// <param name="promptLogprobs">Whether every prompt row but the last asks for its logits.</param>
    /// <param name="prefixRoot">Whose computed blocks it shares (<see cref="PrefixChain.Root"/>); null: nobody's.</param>
    /// <param name="sibling">Another sample of the same prompt, added before: while it runs its blocks are forked, and its prompt is waited for.</param>
    public ScheduledSequence(long id, ReadOnlySpan<int> prompt, int maxTokens, int priority = 0, bool promptLogprobs = false, PrefixKey? prefixRoot = null, ScheduledSequence? sibling = null)
    {
        if (prompt.IsEmpty) throw new ArgumentException("A prompt needs at least one token.", nameof(prompt));
        ArgumentOutOfRangeException.ThrowIfNegative(maxTokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Abs((long)priority), MaxPriority, nameof(priority));
        Id = id;
        _tokens = prompt.ToArray();
        PromptLength = Length = prompt.Length;
        MaxTokens = maxTokens;
        Priority = priority;
        PromptLogprobs = promptLogprobs;
        Kv = new KvSequence(id, prefixRoot);
        Sibling = sibling;
    }

    public long Id { get; }

    /// <summary>Priority class; higher goes first.</summary>
    public int Priority { get; }

    /// <summary>On whose behalf it runs: within a class, the tenant with the fewest running sequences is served next. Null is a tenant like others.</summary>
    public string? Tenant { get; init; }

    /// <summary>Time from its arrival within which it must be complete; null: it has all the time.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Tokens to generate at most.</summary>
    public int MaxTokens { get; }

    /// <summary>Whether the log-probabilities of the prompt are wanted.</summary>
    public bool PromptLogprobs { get; }

    public SequenceState State { get; internal set; }

    /// <summary>Why it is finished.</summary>
    public SequenceEnd End { get; internal set; }

    /// <summary>Its place in the cache.</summary>
    public KvSequence Kv { get; }

    /// <summary>A sequence whose cache it may fork.</summary>
    internal ScheduledSequence? Sibling { get; set; }

    /// <summary>Prompt tokens that were in the cache when it was admitted first.</summary>
    public int CachedLength { get; internal set; }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptLength { get; }

    /// <summary>Tokens known: prompt and generated.</summary>
    public int Length { get; private set; }

    /// <summary>Tokens generated so far.</summary>
    public int GeneratedLength => Length - PromptLength;

    /// <summary>Known tokens whose keys and values are in the cache; back to 0 after a preemption unless it was swapped out, and from its admission on what others had computed of them.</summary>
    public int ComputedLength => Kv.Committed;

    /// <summary>Known tokens still to compute: 1 for a sequence that decodes.</summary>
    public int UncomputedLength => Length - Kv.Committed;

    /// <summary>Whether all that is left to compute is the newest generated token.</summary>
    public bool IsDecoding => UncomputedLength == 1 && GeneratedLength > 0;

    /// <summary>Length at which it ends, known once it is added: prompt and <see cref="MaxTokens"/>, or what context and pool hold.</summary>
    public int MaxLength { get; private set; }

    /// <summary>[length] prompt, then generated ids.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, Length);

    /// <summary>[prompt length] ids.</summary>
    public ReadOnlySpan<int> Prompt => _tokens.AsSpan(0, PromptLength);

    /// <summary>[generated length] ids.</summary>
    public ReadOnlySpan<int> Generated => _tokens.AsSpan(PromptLength, GeneratedLength);

    /// <summary>How often it lost its blocks.</summary>
    public int Preemptions { get; internal set; }

    /// <summary>Prompt rows whose logits a committed step has delivered; a recomputation does not ask for them again.</summary>
    internal int DeliveredLogprobs { get; set; }

    /// <summary>What the scheduler knows of its tenant.</summary>
    internal TenantLoad? Load { get; set; }

    /// <summary>When it arrived on the scheduler's clock.</summary>
    internal long Arrived { get; set; }

    /// <summary>When it expires on the scheduler's clock; the greatest number: never.</summary>
    internal long Deadline { get; set; } = long.MaxValue;

    /// <summary>Last of the blocks that another sequence computes and that it waits for; null when it waits for none.</summary>
    internal PrefixKey? AwaitedKey { get; set; }

    /// <summary>Full blocks of its known tokens that it has announced to compute, and has not yet: from here to <see cref="AnnouncedEnd"/>.</summary>
    internal int FirstAnnounced { get; set; }

    /// <inheritdoc cref="FirstAnnounced"/>
    internal int AnnouncedEnd { get; set; }

    /// <summary>Rows it has in the step being planned.</summary>
    internal int PlannedCount { get; set; }

    /// <summary>Arrival on the scheduler's clock less the time its class is worth: the lower goes first. Fixed, so ranks never swap.</summary>
    internal long Rank { get; private set; }

    /// <summary>Order of arrival, which breaks ties of <see cref="Rank"/>.</summary>
    internal long Arrival { get; private set; }

    internal void Enter(long rank, long arrival, int maxLength)
    {
        Rank = rank;
        Arrival = arrival;
        MaxLength = maxLength;
        // Room for what a usual request generates, so that decoding does not allocate.
        Grow((int)Math.Min(maxLength, PromptLength + 1024L));
    }

    internal void Append(int token)
    {
        if (Length == _tokens.Length) Grow((int)Math.Min(MaxLength, 2L * Length));
        _tokens[Length++] = token;
    }

    private void Grow(int capacity)
    {
        if (capacity > _tokens.Length) Array.Resize(ref _tokens, capacity);
    }

    public override string ToString() => $"sequence {Id} ({State}, {ComputedLength}/{Length} computed, prompt {PromptLength})";
}
