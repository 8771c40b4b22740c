using System.Collections.Frozen;
using Inference.Models;
using Inference.Models.Templates;

namespace Inference;

/// <summary>
/// A conversation with a model. Its keys and values stay in memory between turns as long as nobody else needs the room, so that a turn computes only
/// what is new. One turn at a time; not thread-safe. Any number of sessions share an engine.
/// </summary>
public sealed class ChatSession : IDisposable
{
    private readonly InferenceEngine engine;
    private readonly ChatTemplate template;
    private readonly Tokenizer tokenizer;
    private readonly ChatOptions options;
    private readonly ChatPrompts prompts;
    private readonly ChatWindow window;
    private readonly ThinkingTags? thinking;
    private readonly FrozenSet<int> spelled;
    private readonly List<ChatMessage> messages = [];
    private ChatReply? running;
    private List<ChatMessage> replaced = [];
    private int attempts;
    private bool disposed;

    internal ChatSession(InferenceEngine engine, ChatOptions options, ChatTemplate template, Tokenizer tokenizer)
    {
        this.engine = engine;
        this.template = template;
        this.tokenizer = tokenizer;
        this.options = options;
        prompts = new ChatPrompts(tokenizer, template, new ChatTemplateOptions { Tools = options.Tools, Variables = options.TemplateVariables });
        window = new ChatWindow(prompts, engine.LongestSequence);
        thinking = template.Sources.Values.Select(ThinkingTags.Of).FirstOrDefault(tags => tags is not null);
        spelled = thinking is null ? [] : new[] { thinking.Open, thinking.Close }.SelectMany(tag => tokenizer.Encode(tag, addSpecial: false, parseSpecial: true) is [int id] ? new[] { id } : []).ToFrozenSet();
        Reset();
    }

    /// <summary>The conversation so far, the system prompt first; also the messages that prompts leave out by now.</summary>
    public IReadOnlyList<ChatMessage> Messages => messages;

    /// <summary>Oldest messages behind the system prompt that the model no longer sees, since the context was full.</summary>
    public int DroppedMessages { get; private set; }

    /// <summary>Says something; the answer runs from this call on.</summary>
    /// <param name="message">Plain text, whatever it spells.</param>
    /// <param name="generation">How to answer; null: as the session's options say.</param>
    /// <param name="cancellationToken">Stops the answer.</param>
    /// <exception cref="TemplateException">The template refuses the conversation.</exception>
    /// <exception cref="InferenceException">The message does not fit the context.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="InvalidOperationException">The last answer has not been read to its end.</exception>
    /// <exception cref="ObjectDisposedException">Session or engine are disposed.</exception>
    public ChatReply SendAsync(string message, GenerationOptions? generation = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        return SendAsync(new ChatMessage("user", message), generation, cancellationToken);
    }

    /// <summary>Adds a message of any role, such as a tool's result, and has it answered.</summary>
    /// <inheritdoc cref="SendAsync(string, GenerationOptions?, CancellationToken)"/>
    public ChatReply SendAsync(ChatMessage message, GenerationOptions? generation = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        CheckIdle();
        ChatReply reply = Answer([.. messages, message], generation ?? options.Generation, cancellationToken);
        messages.Add(message);
        replaced = [];
        attempts = 0;
        return reply;
    }

    /// <summary>Answers the last message anew, in place of the answer that it has. With a seed, every attempt is another sample; at temperature 0 all are the same.</summary>
    /// <exception cref="InvalidOperationException">There is nothing to answer, or the last answer has not been read to its end.</exception>
    /// <inheritdoc cref="SendAsync(string, GenerationOptions?, CancellationToken)"/>
    public ChatReply RegenerateAsync(GenerationOptions? generation = null, CancellationToken cancellationToken = default)
    {
        CheckIdle();
        int asked = messages.FindLastIndex(m => m.Role is not ("assistant" or "system" or "developer")) + 1;
        if (asked == 0) throw new InvalidOperationException("there is no message to answer");
        GenerationOptions sampling = generation ?? options.Generation;
        ChatReply reply = Answer(messages[..asked], sampling with { SampleIndex = sampling.SampleIndex + attempts + 1 }, cancellationToken);
        attempts++;
        replaced = messages[asked..];
        messages.RemoveRange(asked, messages.Count - asked);
        return reply;
    }

    /// <summary>Begins again with the system prompt alone.</summary>
    public void Reset() => Load(options.SystemPrompt is null ? [] : [new ChatMessage("system", options.SystemPrompt)]);

    /// <summary>Puts another conversation in place of this one, its system prompt included.</summary>
    /// <exception cref="InvalidOperationException">The last answer has not been read to its end.</exception>
    public void Load(IEnumerable<ChatMessage> conversation)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        CheckIdle();
        ChatMessage[] loaded = [.. conversation];
        messages.Clear();
        messages.AddRange(loaded);
        DroppedMessages = 0;
        attempts = 0;
    }

    /// <summary>
    /// A second conversation that begins with this one and goes on by itself; what is computed of it is shared. Of an answer that runs it has what has been read, as if it had been stopped
    /// there; where nothing has, the message that is being answered is not in it either.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public ChatSession Fork()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        var fork = new ChatSession(engine, options, template, tokenizer);
        fork.messages.Clear();
        fork.messages.AddRange(messages);
        fork.DroppedMessages = DroppedMessages;
        fork.prompts.Continue(prompts);
        fork.replaced = replaced;
        fork.attempts = attempts;
        if (running is not null) fork.Add(running, running.RawText.Length > 0);
        return fork;
    }

    private ChatReply Answer(List<ChatMessage> conversation, GenerationOptions sampling, CancellationToken cancellationToken)
    {
        int limit = engine.LongestSequence, reserve = options.ReservedTokens ?? Math.Max(1, Math.Min(sampling.MaxTokens, limit / 4));
        (ChatPrompt prompt, int dropped) = window.Fit(conversation, DroppedMessages, reserve, sampling.ParseSpecialTokens);
        sampling = sampling with { MaxTokens = Math.Min(sampling.MaxTokens, limit - prompt.Ids.Length) };
        Generation generation = engine.Generate(prompt.Ids, sampling, spelled, cancellationToken);
        var splitter = new ThinkingSplitter(thinking, thinking?.IsOpenAfter(prompt.Text) ?? false);
        running = new ChatReply(this, prompt, generation, splitter, dropped - DroppedMessages);
        DroppedMessages = dropped;
        return running;
    }

    /// <summary>The reply has been read: the answer joins the conversation, or the message leaves it where nothing came of it.</summary>
    internal void Complete(ChatReply reply)
    {
        if (reply != running) return;
        running = null;
        Add(reply, reply.FinishReason is FinishReason.Stop or FinishReason.Length || reply.FinishReason == FinishReason.Cancelled && reply.RawText.Length > 0);
    }

    private void Add(ChatReply reply, bool answered)
    {
        if (answered)
        {
            messages.Add(new ChatMessage("assistant", reply.Text) { ReasoningContent = reply.Reasoning.Length > 0 ? reply.Reasoning : null });
            prompts.Remember(reply.Prompt, reply.RawText, reply.TokenIds);
        }
        else if (replaced.Count > 0)
        {
            messages.AddRange(replaced);
        }
        else
        {
            messages.RemoveAt(messages.Count - 1);
        }
        replaced = [];
    }

    private void CheckIdle()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (running is not null) throw new InvalidOperationException("the last answer has not been read to its end");
    }

    /// <summary>Ends the conversation; an answer that runs is cancelled. Nobody has to wait for its memory: what is left of it is cached until others need the room.</summary>
    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        running?.Cancel();
    }
}
