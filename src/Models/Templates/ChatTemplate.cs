using System.Text.Json.Nodes;

namespace Inference.Models.Templates;

/// <summary>
/// The chat template of a model, or its several templates by name, with the special tokens that it knows by name. Each template is parsed once, when it is first
/// used: a model whose template is broken still generates.
/// </summary>
internal sealed class ChatTemplate : IChatTemplate
{
    /// <summary>Name of the template that is used unless another fits better.</summary>
    public const string Default = "default";

    private const string ForTools = "tool_use";

    private readonly string origin;
    private readonly Dictionary<string, Lazy<Template>> templates;
    private readonly KeyValuePair<string, Value>[] tokens;

    /// <param name="origin">Where the templates come from, for messages.</param>
    /// <param name="sources">Templates by name, at least one.</param>
    /// <param name="tokens">Variables such as <c>bos_token</c>.</param>
    public ChatTemplate(string origin, IReadOnlyDictionary<string, string> sources, IReadOnlyDictionary<string, string> tokens)
    {
        this.origin = origin;
        templates = sources.ToDictionary(source => source.Key, source => new Lazy<Template>(() => Template.Parse(source.Value)), StringComparer.Ordinal);
        Sources = sources;
        this.tokens = [.. tokens.Select(token => KeyValuePair.Create(token.Key, Value.Of(token.Value)))];
    }

    /// <summary>The templates as text, by name.</summary>
    public IReadOnlyDictionary<string, string> Sources { get; }

    /// <summary>A template given as text, without special tokens.</summary>
    public static ChatTemplate FromText(string source, string origin = "template") =>
        new(origin, new Dictionary<string, string> { [Default] = source }, new Dictionary<string, string>());

    /// <summary>The template of a model: a GGUF file, or a folder with Hugging Face's files.</summary>
    /// <exception cref="TemplateException">The model has none.</exception>
    /// <exception cref="ModelFormatException">A file is damaged.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ChatTemplate Open(string path)
    {
        if (WeightFiles.IsFolderPath(path)) return ChatTemplateFiles.FromFolder(WeightFiles.FolderOf(path)) ?? throw Missing(path);
        using GgufFile file = GgufFile.Open(SplitName.MetadataFile(path));
        return ChatTemplateFiles.FromGguf(file) ?? throw Missing(path);
    }

    /// <summary>What to tell who wants to chat with a model that has no template.</summary>
    public static TemplateException Missing(string model) => new(
        $"{model}: the model has no chat template ({ChatTemplateFiles.Key} in a GGUF file, {ChatTemplateFiles.JinjaName} or chat_template in {TokenizerJson.ConfigurationName} in a folder); "
        + "give the one it was trained with (--template-file FILE; ChatOptions.Template in the library), or use it with plain prompts (generate)");

    /// <summary>Parses the usual template now, so that a mistake in it shows before the first conversation.</summary>
    /// <exception cref="TemplateException">It is malformed, or there is none.</exception>
    public void Prepare() => Choose(hasTools: false);

    public RenderedPrompt Render(IReadOnlyList<ChatMessage> messages, ChatTemplateOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return Render(Value.List([.. messages.Select(Message)]), options ?? new());
    }

    public RenderedPrompt Render(JsonArray messages, ChatTemplateOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return Render(JsonValues.Variable("messages", messages), options ?? new());
    }

    /// <summary>Renders with the given variables and nothing else but the special tokens, which they may replace.</summary>
    public RenderedPrompt Render(IEnumerable<KeyValuePair<string, Value>> variables, TimeProvider clock)
    {
        KeyValuePair<string, Value>[] all = [.. tokens, .. variables];
        return Choose(Array.Exists(all, variable => variable.Key == "tools" && !variable.Value.IsNone)).Render(all, clock);
    }

    private RenderedPrompt Render(Value messages, ChatTemplateOptions options)
    {
        var variables = new List<KeyValuePair<string, Value>>
        {
            new("messages", messages),
            new("add_generation_prompt", Value.Of(options.AddGenerationPrompt)),
        };
        // As in transformers: templates find `tools` to be none, not undefined.
        variables.Add(new("tools", options.Tools is null ? Value.None : JsonValues.Variable("tools", options.Tools)));
        foreach ((string name, JsonNode? value) in options.Variables) variables.Add(new(name, JsonValues.Variable(name, value)));
        return Render(variables, options.Clock);
    }

    private Template Choose(bool hasTools)
    {
        if (hasTools && templates.TryGetValue(ForTools, out Lazy<Template>? forTools)) return forTools.Value;
        if (templates.TryGetValue(Default, out Lazy<Template>? usual)) return usual.Value;
        throw new TemplateException($"{origin}: the model has no default chat template, only those named {string.Join(", ", templates.Keys.Order())}");
    }

    private static Value Message(ChatMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var dict = new DictValue();
        dict.Set(Value.Of("role"), JsonValues.Role(message.Role));
        dict.Set(Value.Of("content"), message.Content is null ? Value.None : Value.OfUser(message.Content));
        if (message.ReasoningContent is not null) dict.Set(Value.Of("reasoning_content"), Value.OfUser(message.ReasoningContent));
        if (message.Name is not null) dict.Set(Value.Of("name"), Value.OfUser(message.Name));
        if (message.ToolCallId is not null) dict.Set(Value.Of("tool_call_id"), Value.OfUser(message.ToolCallId));
        if (message.ToolCalls is not null) dict.Set(Value.Of("tool_calls"), JsonValues.Variable("tool_calls", message.ToolCalls));
        return Value.Dict(dict);
    }
}
