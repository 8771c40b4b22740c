using System.Text.Json.Nodes;
using Inference.Models;
using Inference.Models.Templates;

namespace Inference;

internal sealed class ProvisionalTemplate(string source, Tokenizer tokenizer) : IChatTemplate
{
    private readonly Template template = Template.Parse(source);

    public RenderedPrompt Render(IReadOnlyList<ChatMessage> messages, ChatTemplateOptions? options = null)
    {
        var array = new JsonArray([.. messages.Select(m => new JsonObject { ["role"] = m.Role, ["content"] = m.Content, ["reasoning_content"] = m.ReasoningContent })]);
        return Render(array, options);
    }

    public RenderedPrompt Render(JsonArray messages, ChatTemplateOptions? options = null)
    {
        options ??= new();
        Dictionary<string, JsonNode?> variables = new() { ["messages"] = messages, ["add_generation_prompt"] = options.AddGenerationPrompt, ["bos_token"] = Spelling(tokenizer.BosId), ["eos_token"] = Spelling(tokenizer.EosId) };
        foreach ((string name, JsonNode? value) in options.Variables) variables[name] = value;
        return template.Render(variables.Select(v => KeyValuePair.Create(v.Key, JsonValues.Variable(v.Key, v.Value))), options.Clock);
    }

    private string Spelling(int? id) => id is { } value ? tokenizer.Spelling(value) : "";

    public static int[] Encode(Tokenizer tokenizer, RenderedPrompt prompt, int start)
    {
        List<int> ids = [];
        foreach (PromptSegment segment in prompt.Segments)
        {
            int from = Math.Max(start, segment.Start), to = segment.Start + segment.Length;
            if (from < to) ids.AddRange(tokenizer.Encode(prompt.Text[from..to], false, !segment.FromUser));
        }
        return [.. ids];
    }
}
