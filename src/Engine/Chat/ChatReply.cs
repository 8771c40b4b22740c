using System.Text;

namespace Inference;

/// <summary>
/// One answer of a conversation, as a stream. Enumerate it once and to its end: the conversation goes on from there. Leaving early, or cancelling,
/// stops the answer; what had been read of it stays in the conversation.
/// </summary>
public sealed class ChatReply : IAsyncEnumerable<GeneratedToken>
{
    private readonly ChatSession session;
    private readonly Generation generation;
    private readonly ThinkingSplitter splitter;
    private readonly StringBuilder raw = new(), text = new(), reasoning = new();
    private readonly List<int> tokenIds = [];
    private int enumerated;

    internal ChatReply(ChatSession session, ChatPrompt prompt, Generation generation, ThinkingSplitter splitter, int droppedMessages)
    {
        this.session = session;
        this.generation = generation;
        this.splitter = splitter;
        Prompt = prompt;
        DroppedMessages = droppedMessages;
    }

    internal ChatPrompt Prompt { get; }

    /// <summary>The whole prompt as the model sees it.</summary>
    public IReadOnlyList<int> PromptTokenIds => generation.PromptTokenIds;

    /// <summary>Tokens of the prompt that were not computed again; known when the first token arrives.</summary>
    public int CachedTokens => generation.CachedTokens;

    /// <summary>Messages that this prompt had to leave out beyond those that the one before left out, since the context was full. 0: none.</summary>
    public int DroppedMessages { get; }

    /// <summary>The answer as far as it has been read, without the thinking block.</summary>
    public string Text => text.ToString();

    /// <summary>What the model thought before it answered, as far as it has been read; empty for models that do not.</summary>
    public string Reasoning => reasoning.ToString();

    /// <summary>Tokens of the answer as far as it has been read, those of the thinking block included.</summary>
    public IReadOnlyList<int> TokenIds => tokenIds;

    /// <summary>Why the answer ended; null while it runs.</summary>
    public FinishReason? FinishReason { get; private set; }

    /// <summary>The answer's text with its thinking block, as the model wrote it.</summary>
    internal string RawText => raw.ToString();

    /// <summary>Streams the answer: what is said in <see cref="GeneratedToken.Text"/>, what is thought in <see cref="GeneratedToken.Reasoning"/>.</summary>
    /// <exception cref="OperationCanceledException">The turn was cancelled, or the session disposed.</exception>
    /// <exception cref="InferenceException">The engine failed, or refused the request; the message is not part of the conversation then.</exception>
    /// <exception cref="InvalidOperationException">It has been enumerated before.</exception>
    public async IAsyncEnumerator<GeneratedToken> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref enumerated, 1) != 0) throw new InvalidOperationException("a reply can be enumerated once");
        try
        {
            await foreach (GeneratedToken token in generation.WithCancellation(cancellationToken).ConfigureAwait(false)) yield return Take(token);
        }
        finally
        {
            // Whoever leaves early has cancelled the request, and the engine may not have noticed yet.
            FinishReason ??= generation.FinishReason ?? Inference.FinishReason.Cancelled;
            Add(splitter.Flush());
            session.Complete(this);
        }
    }

    /// <summary>Collects the whole answer, without the thinking block.</summary>
    public async Task<string> GetTextAsync(CancellationToken cancellationToken = default)
    {
        await foreach (GeneratedToken _ in this.WithCancellation(cancellationToken).ConfigureAwait(false)) { }
        return Text;
    }

    /// <summary>Stops the answer.</summary>
    internal void Cancel()
    {
        if (generation.FinishReason is null) generation.Cancel();
    }

    private GeneratedToken Take(GeneratedToken token)
    {
        raw.Append(token.Text);
        if (token.TokenId is { } id) tokenIds.Add(id);
        (string Thought, string Answer) part = splitter.Append(token.Text);
        if (token.FinishReason is { } reason)
        {
            FinishReason = reason;
            (string thought, string answer) = splitter.Flush();
            part = (part.Thought + thought, part.Answer + answer);
        }
        Add(part);
        return token with { Text = part.Answer, Reasoning = part.Thought };
    }

    private void Add((string Thought, string Answer) part)
    {
        reasoning.Append(part.Thought);
        text.Append(part.Answer);
    }
}
