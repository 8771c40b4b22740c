using System.Threading.Channels;

namespace Inference;

/// <summary>
/// One running request: the answer as a stream, and what is known about its prompt. Enumerate it once. Leaving the enumeration early
/// cancels the request and frees its memory in the next step.
/// </summary>
public sealed class Generation : IAsyncEnumerable<GeneratedToken>
{
    private readonly Channel<GeneratedToken> channel = Channel.CreateUnbounded<GeneratedToken>(new() { SingleReader = true, SingleWriter = true });
    private readonly Action cancel, resume;
    private readonly int maxUnread;
    private readonly ThreadCrossings? crossings;
    private int enumerated, unread, paused;

    /// <param name="promptTokenIds">The prompt.</param>
    /// <param name="maxUnread">Items that may wait for the reader before the request is paused.</param>
    /// <param name="cancel">Ends the request.</param>
    /// <param name="resume">Goes on with the paused request.</param>
    /// <param name="crossings">Null but in tests.</param>
    internal Generation(IReadOnlyList<int> promptTokenIds, int maxUnread, Action cancel, Action resume, ThreadCrossings? crossings = null)
    {
        PromptTokenIds = promptTokenIds;
        this.maxUnread = maxUnread;
        this.cancel = cancel;
        this.resume = resume;
        this.crossings = crossings;
    }

    /// <summary>The prompt as the model sees it.</summary>
    public IReadOnlyList<int> PromptTokenIds { get; }

    /// <summary>One entry per prompt token, the first null; complete when the first token arrives. Null unless <see cref="GenerationOptions.PromptLogprobs"/> is set.</summary>
    public IReadOnlyList<TokenLogprobs?>? PromptLogprobs { get; internal set; }

    /// <summary>Prompt tokens that were not computed, since an earlier request or another one with the same beginning had; known when the first token arrives.</summary>
    public int CachedTokens { get; internal set; }

    /// <summary>Time from the call until the first step that computed something for the request; known when the first token arrives.</summary>
    public TimeSpan QueueTime { get; internal set; }

    /// <summary>Why the answer ended; null while it runs.</summary>
    public FinishReason? FinishReason { get; internal set; }

    /// <summary>Ends the request before the next step; nothing happens to one that has ended.</summary>
    internal void Cancel() => cancel();

    /// <summary>Hands an item to the reader; true: the reader lags so much that the request is to be paused.</summary>
    internal bool Write(GeneratedToken token)
    {
        int waiting = Interlocked.Increment(ref unread);
        crossings?.Reach("write");
        channel.Writer.TryWrite(token);
        crossings?.Reach("written");
        if (waiting < maxUnread || token.FinishReason is not null) return false;
        Interlocked.Exchange(ref paused, 1);
        crossings?.Reach("paused");
        // The reader may have caught up before it could see that.
        return Volatile.Read(ref unread) > maxUnread / 2 || Interlocked.Exchange(ref paused, 0) == 0;
    }

    internal void Complete(Exception? exception)
    {
        crossings?.Reach("complete");
        channel.Writer.TryComplete(exception);
    }

    private void CountRead()
    {
        crossings?.Reach("count");
        if (Interlocked.Decrement(ref unread) > maxUnread / 2) return;
        crossings?.Reach("catch up");
        if (Volatile.Read(ref paused) == 1 && Interlocked.Exchange(ref paused, 0) == 1) resume();
    }

    private ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        if (crossings is not null) AwaitItem(crossings, cancellationToken);
        return channel.Reader.WaitToReadAsync(cancellationToken);
    }

    private void AwaitItem(ThreadCrossings threads, CancellationToken cancellationToken) =>
        threads.Await("read", () => channel.Reader.TryPeek(out _) || channel.Reader.Completion.IsCompleted || cancellationToken.IsCancellationRequested);

    /// <summary>Streams the answer. Cancelling <paramref name="cancellationToken"/> ends the request and throws.</summary>
    /// <exception cref="OperationCanceledException">The request was cancelled.</exception>
    /// <exception cref="InferenceException">The engine failed, or was disposed.</exception>
    /// <exception cref="InvalidOperationException">It has been enumerated before.</exception>
    public async IAsyncEnumerator<GeneratedToken> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref enumerated, 1) != 0) throw new InvalidOperationException("a generation can be enumerated once");
        try
        {
            while (await WaitAsync(cancellationToken).ConfigureAwait(false))
            {
                while (channel.Reader.TryRead(out GeneratedToken token))
                {
                    CountRead();
                    yield return token;
                }
            }
        }
        finally
        {
            crossings?.Reach("leave");
            if (FinishReason is null) cancel();
        }
    }

    /// <summary>Collects the whole text.</summary>
    public async Task<string> GetTextAsync(CancellationToken cancellationToken = default)
    {
        var text = new System.Text.StringBuilder();
        await foreach (GeneratedToken token in this.WithCancellation(cancellationToken).ConfigureAwait(false)) text.Append(token.Text);
        return text.ToString();
    }
}
