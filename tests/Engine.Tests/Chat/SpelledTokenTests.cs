using Inference.Models;

namespace Inference.Tests;

/// <summary>Thinking tags that are special tokens: they have no text, and a conversation must see them all the same, in their place.</summary>
public class SpelledTokenTests
{
    private static readonly string[] Tokens = ["<unk>", "<s>", "</s>", "<think>", "</think>", "a", "b", "▁c", "<0xC3>"];

    private static Tokenizer CreateTokenizer() => Tokenizer.Create(new VocabularyData
    {
        Source = "test",
        Model = "llama",
        Tokens = Tokens,
        Types = [TokenType.Unknown, TokenType.Control, TokenType.Control, TokenType.Control, TokenType.Control, TokenType.Normal, TokenType.Normal, TokenType.Normal, TokenType.Byte],
        Scores = new float[9],
        BosId = 1,
        EosId = 2,
        UnknownId = 0,
    });

    private static async Task<string> TextAsync(IReadOnlySet<int>? spelled, GenerationOptions options, params string[] answer)
    {
        Tokenizer tokenizer = CreateTokenizer();
        var request = new Request(1, [1], options, tokenizer, tokenizer.EndOfGeneration, 0, new RequestControl(100, _ => { }, _ => { }, new EngineTelemetry("", "", Serilog.Core.Logger.None)), null, spelled);
        request.Sequence.Enter(0, 0, 100);
        foreach (string token in answer)
        {
            int id = Array.IndexOf(Tokens, token);
            request.Accept(id, new float[Tokens.Length], out bool append);
            if (append) request.Sequence.Append(id);
            request.Deliver();
        }
        return await request.Generation.GetTextAsync();
    }

    [Fact]
    public async Task A_tag_has_its_spelling_where_a_conversation_asks_for_it_only()
    {
        string[] answer = ["<think>", "a", "▁c", "</think>", "b", "</s>"];
        Assert.Equal("a cb", await TextAsync(null, new GenerationOptions(), answer));
        Assert.Equal("<think>a c</think>b", await TextAsync(new HashSet<int> { 3, 4 }, new GenerationOptions(), answer));
    }

    [Fact]
    public async Task It_stands_behind_what_was_held_back_for_a_stop_string_or_the_rest_of_a_character()
    {
        var spelled = new HashSet<int> { 3, 4 };
        Assert.Equal("aab</think>b", await TextAsync(spelled, new GenerationOptions { Stop = ["abbb"] }, "a", "a", "b", "</think>", "b", "</s>"));
        Assert.Equal("a\uFFFD</think>b", await TextAsync(spelled, new GenerationOptions(), "a", "<0xC3>", "</think>", "b", "</s>"));
    }
}
