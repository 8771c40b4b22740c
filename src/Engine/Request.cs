using System.Collections.Frozen;
using System.Diagnostics;
using Inference.KvCache;
using Inference.Models;
using Inference.Sampling;
using Inference.Scheduling;

namespace Inference;

/// <summary>What a request's reader can do to it.</summary>
/// <param name="MaxUnreadTokens">Tokens that may wait for the reader before the request is paused.</param>
/// <param name="Cancel">Ends it.</param>
/// <param name="Resume">Goes on with it once the reader has caught up.</param>
/// <param name="Telemetry">Hears of its beginning and end.</param>
/// <param name="Crossings">Null but in tests.</param>
internal sealed record RequestControl(int MaxUnreadTokens, Action<Request> Cancel, Action<Request> Resume, EngineTelemetry Telemetry, ThreadCrossings? Crossings = null)
{
    /// <summary>Strings that all requests share, for the engine's thread.</summary>
    public TokenTexts Texts { get; } = new();
}

/// <summary>One request on the engine's thread: what to sample with, what to stop at, and where its tokens go.</summary>
internal sealed class Request
{
    private readonly IReadOnlySet<int> endTokens;
    private readonly IReadOnlySet<int> spelled;
    private readonly Tokenizer tokenizer;
    private readonly StreamDecoder decoder;
    private readonly TokenTexts texts;
    private readonly StopMatcher stops;
    private readonly TokenLogprobs?[]? promptLogprobs;
    private CancellationTokenRegistration registration;
    private readonly EngineTelemetry telemetry;
    private GeneratedToken? outgoing;
    private InferenceException? failure;

    public Request(long id, int[] prompt, GenerationOptions options, Tokenizer tokenizer, IReadOnlySet<int> endTokens, ulong seed, RequestControl control, PrefixKey? prefixRoot = null, IReadOnlySet<int>? spelled = null, Request? sibling = null)
    {
        this.endTokens = endTokens;
        this.tokenizer = tokenizer;
        this.spelled = spelled ?? FrozenSet<int>.Empty;
        Options = options;
        Seed = seed;
        Generation = new Generation(prompt, control.MaxUnreadTokens, () => control.Cancel(this), () => control.Resume(this), control.Crossings);
        Sequence = new ScheduledSequence(id, prompt, options.MaxTokens, options.Priority, options.PromptLogprobs is not null, prefixRoot, sibling?.Sequence) { Tenant = options.Tenant, Timeout = options.Timeout };
        decoder = tokenizer.CreateStream(skipSpecial: true, continuation: true);
        texts = control.Texts;
        stops = new StopMatcher(options.Stop);
        if (options.PromptLogprobs is not null) promptLogprobs = new TokenLogprobs?[prompt.Length];
        if (options.RepetitionPenalty != 1 || options.FrequencyPenalty != 0 || options.PresencePenalty != 0)
        {
            Counts = new TokenCounts();
            foreach (int token in prompt) Counts.Add(token);
        }
        telemetry = control.Telemetry;
        Activity = telemetry.Begin(this);
    }

    /// <summary>When it was asked, in ticks of <see cref="Stopwatch"/>.</summary>
    public long SubmittedAt { get; } = Stopwatch.GetTimestamp();

    /// <summary>When the first token was handed over; 0 before.</summary>
    public long FirstTokenAt { get; private set; }

    /// <summary>Its trace; null when nobody traces.</summary>
    public Activity? Activity { get; }

    public GenerationOptions Options { get; }
    public ulong Seed { get; }
    public Generation Generation { get; }
    public ScheduledSequence Sequence { get; }

    /// <summary>Occurrences in prompt and output, where a penalty needs them.</summary>
    public TokenCounts? Counts { get; }

    public bool IsFinished => Generation.FinishReason is not null || outgoing?.FinishReason is not null || failure is not null;

    /// <summary>Whether the step yielded the first token, not delivered yet.</summary>
    public bool BeginsAnswer => outgoing is { Index: 0 };

    /// <summary>Whether it counts among those that wait for their first step.</summary>
    public bool IsQueued { get; set; } = true;

    /// <summary>Cancels the request when the caller's token says so.</summary>
    public void Watch(CancellationToken token, Action<Request> cancel) => registration = token.UnsafeRegister(_ => cancel(this), null);

    /// <summary>Notes the log probability of the prompt token that follows the row at <paramref name="position"/>.</summary>
    public void AddPromptLogprobs(int position, ReadOnlySpan<float> logits) =>
        promptLogprobs![position + 1] = LogitMath.Logprobs(logits, Sequence.Tokens[position + 1], Options.PromptLogprobs!.Value);

    /// <summary>End tokens that may not be chosen yet.</summary>
    public ReadOnlySpan<int> Banned(ReadOnlySpan<int> ends) => Sequence.GeneratedLength < Options.MinTokens && !Options.IgnoreEos ? ends : default;

    /// <summary>Takes the token sampled from <paramref name="logits"/>, keeps what is certain of its text for <see cref="Deliver"/>, and says whether the answer ends. An end token is not part of the answer.</summary>
    public bool Accept(int token, ReadOnlySpan<float> logits, out bool append)
    {
        int index = Sequence.GeneratedLength;
        bool mayStop = index + 1 >= Options.MinTokens;
        bool end = endTokens.Contains(token) && !Options.IgnoreEos || mayStop && Options.StopTokenIds.Contains(token);
        append = !end;
        string text = "";
        FinishReason? reason = null;
        if (end) reason = FinishReason.Stop;
        else
        {
            Counts?.Add(token);
            text = stops.Append(Text(token), mayStop, out bool stopped);
            if (stopped) reason = FinishReason.Stop;
            else if (Sequence.Length + 1 >= Sequence.MaxLength) reason = FinishReason.Length;
            if (reason == FinishReason.Stop) stops.Flush();
        }
        // What was held back is text after all, unless a stop string is complete.
        if (reason is not null && (end || reason == FinishReason.Length))
        {
            string rest = stops.Append(decoder.Flush().ToString(), mayStop, out bool stopped);
            text += rest + (stopped ? "" : stops.Flush());
        }
        if (index == 0)
        {
            Generation.PromptLogprobs = promptLogprobs;
            Generation.CachedTokens = Sequence.CachedLength;
        }
        var item = new GeneratedToken
        {
            Index = index,
            TokenId = end ? null : token,
            Text = text,
            Logprobs = Options.Logprobs is { } top && !end ? LogitMath.Logprobs(logits, token, top) : null,
            LogitHash = Options.LogitHash ? LogitMath.Hash(logits) : null,
            FinishReason = reason,
        };
        outgoing = item;
        return reason is not null;
    }

    /// <summary>
    /// Passes on what the step yielded, once the step is committed and counted: who sees the last token finds its blocks free. True: the reader lags, and the request is to be paused.
    /// </summary>
    public bool Deliver()
    {
        if (failure is not null)
        {
            End(FinishReason.Error, failure);
            return false;
        }
        if (outgoing is not { } item) return false;
        outgoing = null;
        if (item.Index == 0)
        {
            FirstTokenAt = Stopwatch.GetTimestamp();
            telemetry.FirstToken(this);
        }
        if (item.FinishReason is { } reason) Generation.FinishReason = reason;
        bool lags = Generation.Write(item);
        if (item.FinishReason is not null) Close(null);
        return lags;
    }

    /// <summary>Some models have more rows of logits than tokens; what those rows stand for has no text.</summary>
    private string Text(int token)
    {
        if (token >= tokenizer.VocabularySize) return "";
        string text = texts.Get(token, decoder.Append(token));
        // Special tokens have no text, except those by which a conversation knows the parts of an answer.
        return text.Length == 0 && spelled.Contains(token) && tokenizer.IsSpecial(token) ? decoder.Flush().ToString() + tokenizer.Spelling(token) : text;
    }

    /// <summary>Sampling failed for this request alone; <see cref="Deliver"/> ends it.</summary>
    public void Fail(Exception exception)
    {
        outgoing = null;
        failure = new InferenceException("sampling failed: " + exception.Message, exception);
    }

    /// <summary>Ends the request without a token.</summary>
    public void End(FinishReason reason, Exception exception)
    {
        if (Generation.FinishReason is not null) return;
        outgoing = null;
        Generation.FinishReason = reason;
        Close(exception);
    }

    private void Close(Exception? exception)
    {
        registration.Unregister();
        // Whoever sees the end finds it measured.
        telemetry.End(this, exception);
        Generation.Complete(exception);
    }
}
