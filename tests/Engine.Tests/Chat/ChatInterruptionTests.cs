namespace Inference.Tests;

/// <summary>Answers that are stopped, left or fail, and what stays of them.</summary>
public class ChatInterruptionTests
{
    private static ChatSession Open(InferenceEngine engine) => engine.CreateChat(new ChatOptions
    {
        Template = ChatSessionTests.Template,
        Generation = new GenerationOptions { MaxTokens = 400, IgnoreEos = true },
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_is_stopped_stays_as_far_as_it_was_read_and_its_tokens_stay_in_the_cache(bool cancel)
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu" });
        using ChatSession chat = Open(engine);
        using var source = new CancellationTokenSource();
        ChatReply reply = chat.SendAsync("Who made the heaven?", cancellationToken: source.Token);
        Exception? error = await Record.ExceptionAsync(async () =>
        {
            await foreach (GeneratedToken token in reply)
            {
                if (token.Index != 8) continue;
                if (!cancel) break;
                source.Cancel();
            }
        });
        if (cancel) Assert.IsAssignableFrom<OperationCanceledException>(error);
        else Assert.Null(error);
        Assert.Equal(FinishReason.Cancelled, reply.FinishReason);
        Assert.Equal((2, reply.Text), (chat.Messages.Count, chat.Messages[1].Content));
        Assert.NotEmpty(reply.Text);
        ChatReply next = chat.SendAsync("And the earth?", new GenerationOptions { MaxTokens = 4 });
        await next.GetTextAsync();
        Assert.Equal(reply.PromptTokenIds.Concat(reply.TokenIds), next.PromptTokenIds.Take(reply.PromptTokenIds.Count + reply.TokenIds.Count));
        // More may have been computed than was read; of what was read, whole blocks are found.
        Assert.InRange(next.CachedTokens + 15, reply.PromptTokenIds.Count + reply.TokenIds.Count - 1, next.PromptTokenIds.Count + 14);
    }

    [Fact]
    public async Task A_fork_of_a_running_conversation_goes_on_from_what_was_read()
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu" });
        using ChatSession chat = Open(engine);
        await chat.SendAsync("Who made the heaven?", new GenerationOptions { MaxTokens = 30, IgnoreEos = true }).GetTextAsync();
        ChatReply reply = chat.SendAsync("And the earth?", new GenerationOptions { MaxTokens = 60, IgnoreEos = true });
        using ChatSession before = chat.Fork();
        ChatSession? middle = null;
        string read = "";
        await foreach (GeneratedToken token in reply)
        {
            if (token.Index != 20) continue;
            middle = chat.Fork();
            read = reply.Text;
        }
        using ChatSession after = chat.Fork();
        Assert.Equal((2, 4, 4), (before.Messages.Count, middle!.Messages.Count, after.Messages.Count));
        Assert.Equal((read, reply.Text), (middle.Messages[3].Content, after.Messages[3].Content));
        foreach (ChatSession fork in (ChatSession[])[middle, after])
        {
            ChatReply next = fork.SendAsync("And the sea?", new GenerationOptions { MaxTokens = 4 });
            await next.GetTextAsync();
            Assert.InRange(next.CachedTokens, reply.PromptTokenIds.Count, next.PromptTokenIds.Count - 1);
            Assert.Equal(6, fork.Messages.Count);
        }
        Assert.Equal(4, chat.Messages.Count);
        middle.Dispose();
    }

    [Fact]
    public async Task A_message_without_any_answer_leaves_the_conversation()
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu" });
        using ChatSession chat = Open(engine);
        using var source = new CancellationTokenSource();
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chat.SendAsync("Who made the heaven?", cancellationToken: source.Token).GetTextAsync());
        Assert.Empty(chat.Messages);
        string answer = await chat.SendAsync("Who made the earth?", new GenerationOptions { MaxTokens = 4 }).GetTextAsync();
        // An attempt at another answer that comes to nothing leaves the one that there is.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chat.RegenerateAsync(cancellationToken: source.Token).GetTextAsync());
        Assert.Equal(["Who made the earth?", answer], chat.Messages.Select(m => m.Content));
    }

    [Fact]
    public async Task An_engine_that_is_gone_ends_the_answer_with_an_error_and_takes_the_message_back()
    {
        InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu" });
        using ChatSession chat = Open(engine);
        ChatReply reply = chat.SendAsync("Who made the heaven?");
        await engine.DisposeAsync();
        // It may have been quick enough to finish.
        if (await Record.ExceptionAsync(() => reply.GetTextAsync()) is { } error)
        {
            Assert.IsType<InferenceException>(error);
            Assert.Empty(chat.Messages);
        }
        Assert.Throws<ObjectDisposedException>(() => chat.SendAsync("Again."));
    }

    [Fact]
    public async Task One_turn_at_a_time()
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu" });
        using ChatSession chat = Open(engine);
        ChatReply reply = chat.SendAsync("Who made the heaven?", new GenerationOptions { MaxTokens = 4 });
        foreach (Action turn in (Action[])[() => chat.SendAsync("More."), () => chat.RegenerateAsync(), chat.Reset, () => chat.Load([])])
            Assert.Throws<InvalidOperationException>(turn);
        await reply.GetTextAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => reply.GetTextAsync());
        await chat.SendAsync("More.", new GenerationOptions { MaxTokens = 4 }).GetTextAsync();
        Assert.Equal(4, chat.Messages.Count);
    }
}
