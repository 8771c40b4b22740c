namespace Inference.Tests;

/// <summary>A full context: the oldest turns go, the system prompt stays.</summary>
public class ChatContextTests
{
    private const string System = "Speak as the prophets spake.";

    private static ChatSession Open(InferenceEngine engine, int? reserved = null) => engine.CreateChat(new ChatOptions
    {
        SystemPrompt = System,
        Template = ChatSessionTests.Template,
        ReservedTokens = reserved,
        Generation = new GenerationOptions { MaxTokens = 24, IgnoreEos = true },
    });

    [Theory]
    [InlineData(128, null)]
    [InlineData(512, 8)]
    public async Task The_oldest_turns_are_left_out_from_the_prompt_and_stay_in_the_conversation(int context, int? blocks)
    {
        // Either the context is short, or the pool holds no more than that of it.
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", ContextLength = context, KvBlocks = blocks });
        using ChatSession chat = Open(engine);
        int dropped = 0, kept = 0;
        for (int turn = 0; turn < 10; turn++)
        {
            ChatReply reply = chat.SendAsync($"Question {turn}");
            await reply.GetTextAsync();
            dropped += reply.DroppedMessages;
            Assert.Equal((dropped, FinishReason.Length, 24), (chat.DroppedMessages, reply.FinishReason, reply.TokenIds.Count));
            Assert.Equal(0, dropped % 2);
            Assert.InRange(reply.PromptTokenIds.Count, 1, 128 - 24);
            string prompt = engine.Detokenize(reply.PromptTokenIds);
            Assert.StartsWith($"[system] {System}\n[user] Question {dropped / 2}\n", prompt);
            Assert.EndsWith($"[user] Question {turn}\n", prompt);
            if (reply.DroppedMessages > 0) Assert.InRange(reply.CachedTokens, 0, reply.PromptTokenIds.Count / 2);
            // A full context does not cost the whole prompt in every turn.
            if (dropped > 0 && reply.DroppedMessages == 0 && reply.CachedTokens > reply.PromptTokenIds.Count / 2) kept++;
        }
        Assert.InRange(dropped, 8, 16);
        Assert.InRange(kept, 2, 8);
        Assert.Equal(21, chat.Messages.Count);
        Assert.Equal("Question 0", chat.Messages[1].Content);
        chat.Reset();
        Assert.Equal((0, 1), (chat.DroppedMessages, chat.Messages.Count));
    }

    [Fact]
    public async Task The_turn_before_is_not_dropped_to_leave_room_that_nobody_needs_yet()
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", ContextLength = 128 });
        using ChatSession chat = Open(engine, reserved: 8);
        await chat.SendAsync("Hear this first").GetTextAsync();
        await chat.SendAsync(string.Concat(Enumerable.Repeat("word ", 40))).GetTextAsync();
        ChatReply reply = chat.SendAsync("What did I say?");
        await reply.GetTextAsync();
        Assert.Equal(2, reply.DroppedMessages);
        Assert.Contains("word word", engine.Detokenize(reply.PromptTokenIds), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_that_cannot_fit_is_refused_with_the_numbers()
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", ContextLength = 64 });
        using ChatSession chat = Open(engine);
        await chat.SendAsync("Question").GetTextAsync();
        string message = Assert.Throws<InferenceException>(() => chat.SendAsync(string.Concat(Enumerable.Repeat("word ", 80)))).Message;
        Assert.Contains("64", message, StringComparison.Ordinal);
        Assert.Equal((3, 0), (chat.Messages.Count, chat.DroppedMessages));
        await chat.SendAsync("Another").GetTextAsync();
    }

    [Fact]
    public async Task A_last_turn_that_leaves_less_than_the_reserve_is_answered_in_what_is_left()
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", ContextLength = 64 });
        using ChatSession chat = Open(engine, reserved: 40);
        ChatReply reply = chat.SendAsync(string.Concat(Enumerable.Repeat("word ", 30)));
        await reply.GetTextAsync();
        Assert.Equal((64, FinishReason.Length), (reply.PromptTokenIds.Count + reply.TokenIds.Count, reply.FinishReason));
    }

    [Fact]
    public async Task A_long_conversation_that_is_loaded_is_cut_at_once()
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", ContextLength = 128 });
        using ChatSession chat = Open(engine);
        chat.Load([new("system", "Be brief."), .. Enumerable.Range(0, 200).SelectMany(i => (ChatMessage[])[new("user", $"Question {i}"), new("assistant", "It is so.")])]);
        ChatReply reply = chat.SendAsync("The last one");
        await reply.GetTextAsync();
        string prompt = engine.Detokenize(reply.PromptTokenIds);
        Assert.StartsWith($"[system] Be brief.\n[user] Question {reply.DroppedMessages / 2}\n", prompt);
        // As many turns as leave a quarter of the context beside the answer: one more would not.
        int perTurn = engine.Tokenize("[user] Question 190\nIt is so.</s>", addSpecial: false, parseSpecial: true).Length;
        Assert.InRange(reply.PromptTokenIds.Count, 96 - 24 - perTurn - 2, 96 - 24);
    }
}
