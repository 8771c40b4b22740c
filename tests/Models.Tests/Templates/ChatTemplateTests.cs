using System.Text.Json.Nodes;
using Inference.Models.Templates;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>Where templates are found, which one is used, and what it gets.</summary>
public class ChatTemplateTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("template").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_GGUF_file_has_a_template_and_its_tokens()
    {
        string path = Write("model.gguf", new GgufWriter()
            .Set("tokenizer.chat_template", "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token }}{{ unk_token is defined }}")
            .Set("tokenizer.ggml.tokens", new[] { "<s>", "</s>", "<pad>" }).Set("tokenizer.ggml.bos_token_id", 0u).Set("tokenizer.ggml.eos_token_id", 1u).Set("tokenizer.ggml.padding_token_id", 2u));
        Assert.Equal("<s>hi</s><pad>False", ChatTemplate.Open(path).Render(Hi).Text);
    }

    [Fact]
    public void Named_templates_of_a_GGUF_file_serve_their_purpose()
    {
        string path = Write("model.gguf", new GgufWriter().Set("tokenizer.chat_template", "plain").Set("tokenizer.chat_template.tool_use", "tools").Set("tokenizer.chat_template.rag", "rag"));
        ChatTemplate template = ChatTemplate.Open(path);
        Assert.Equal("plain", template.Render(Hi).Text);
        Assert.Equal("tools", template.Render(Hi, new ChatTemplateOptions { Tools = [] }).Text);
        Assert.Equal(["default", "rag", "tool_use"], template.Sources.Keys.Order());
        string without = Write("other.gguf", new GgufWriter().Set("tokenizer.chat_template.rag", "rag"));
        Assert.Contains("rag", Assert.Throws<TemplateException>(() => ChatTemplate.Open(without).Render(Hi)).Message);
    }

    [Fact]
    public void A_model_without_a_template_says_what_else_there_is()
    {
        string path = Write("model.gguf", new GgufWriter());
        string message = Assert.Throws<TemplateException>(() => ChatTemplate.Open(path)).Message;
        Assert.Contains(path, message);
        Assert.Contains("no chat template", message);
        Assert.Contains("--template-file", message);
        Assert.Contains("no chat template", Assert.Throws<TemplateException>(() => ChatTemplate.Open(folder)).Message);
    }

    [Fact]
    public void A_folder_has_it_in_its_configuration()
    {
        WriteText("tokenizer_config.json", """{"chat_template": "{{ bos_token }}|{{ eos_token }}", "bos_token": "<s>", "eos_token": {"content": "</s>", "special": true}, "pad_token": null}""");
        Assert.Equal("<s>|</s>", ChatTemplate.Open(folder).Render(Hi).Text);
    }

    [Fact]
    public void A_folder_has_several_in_its_configuration()
    {
        WriteText("tokenizer_config.json", """{"chat_template": [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]}""");
        Assert.Equal("a", ChatTemplate.Open(folder).Render(Hi).Text);
        Assert.Equal("b", ChatTemplate.Open(folder).Render(Hi, new ChatTemplateOptions { Tools = [] }).Text);
    }

    [Fact]
    public void A_file_of_its_own_wins()
    {
        WriteText("tokenizer_config.json", """{"chat_template": "old", "bos_token": "<s>"}""");
        WriteText("chat_template.jinja", "new {{ bos_token }}\n");
        Directory.CreateDirectory(Path.Combine(folder, "additional_chat_templates"));
        WriteText(Path.Combine("additional_chat_templates", "tool_use.jinja"), "tools");
        Assert.Equal("new <s>", ChatTemplate.Open(folder).Render(Hi).Text);
        Assert.Equal("tools", ChatTemplate.Open(folder).Render(Hi, new ChatTemplateOptions { Tools = [] }).Text);
    }

    [Theory]
    [InlineData("""{"chat_template": 5}""", "chat_template")]
    [InlineData("""{"chat_template": [{"name": "x"}]}""", "template")]
    [InlineData("""{"chat_template": "a", "bos_token": 1}""", "bos_token")]
    [InlineData("""{"chat_template": """, "line 1")]
    public void A_damaged_configuration_is_an_error(string json, string key)
    {
        WriteText("tokenizer_config.json", json);
        Assert.Contains(key, Assert.Throws<ModelFormatException>(() => ChatTemplate.Open(folder)).Message);
    }

    [Fact]
    public void A_broken_template_fails_when_it_is_used()
    {
        ChatTemplate template = ChatTemplate.FromText("a\n{{ x");
        for (int i = 0; i < 2; i++) Assert.Equal(2, Assert.Throws<TemplateException>(() => template.Render(Hi)).Line);
    }

    [Fact]
    public void Messages_have_what_was_set_and_nothing_else()
    {
        ChatMessage[] messages =
        [
            new("system", null),
            new("assistant", "a") { ReasoningContent = "r", ToolCalls = new JsonArray(new JsonObject { ["id"] = "1" }) },
            new("tool", "t") { Name = "n", ToolCallId = "1" },
        ];
        Assert.Equal(
            "[{'role': 'system', 'content': None}, {'role': 'assistant', 'content': 'a', 'reasoning_content': 'r', 'tool_calls': [{'id': '1'}]}, {'role': 'tool', 'content': 't', 'name': 'n', 'tool_call_id': '1'}]",
            ChatTemplate.FromText("{{ messages }}").Render(messages).Text);
    }

    [Fact]
    public void Options_reach_the_template_and_variables_win()
    {
        ChatTemplate template = ChatTemplate.FromText("{{ add_generation_prompt }} {{ tools }} {{ enable_thinking }} {{ strftime_now('%Y') }}");
        Assert.Equal($"True None  {TimeProvider.System.GetLocalNow().Year}", template.Render(Hi).Text);
        var options = new ChatTemplateOptions
        {
            AddGenerationPrompt = false,
            Tools = [new JsonObject { ["n"] = 1 }],
            Variables = new Dictionary<string, JsonNode?> { ["enable_thinking"] = false, ["add_generation_prompt"] = null },
            Clock = TemplateText.Clock,
        };
        Assert.Equal("None [{'n': 1}] False 2025", template.Render(Hi, options).Text);
    }

    [Fact]
    public void Messages_of_JSON_keep_all_members()
    {
        var messages = (JsonArray)JsonNode.Parse("""[{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "é"}], "x": 1.0}]""")!;
        Assert.Equal("[{'role': 'user', 'content': [{'type': 'image'}, {'type': 'text', 'text': 'é'}], 'x': 1.0}]", ChatTemplate.FromText("{{ messages }}").Render(messages).Text);
    }

    /// <summary>The template that every Qwen3 has, through the public interface.</summary>
    [Fact]
    public void A_stored_configuration_renders()
    {
        string path = SharedData.Require("conformance", "tokenizers", "qwen3");
        Assert.Equal("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n", ChatTemplate.Open(path).Render(Hi).Text);
    }

    private static ChatMessage[] Hi => [new("user", "hi")];

    private string Write(string name, GgufWriter file)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, file.ToArray());
        return path;
    }

    private void WriteText(string name, string text) => File.WriteAllText(Path.Combine(folder, name), text);
}
