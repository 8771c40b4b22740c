using Inference.Models.Templates;

namespace Inference;

public sealed partial class InferenceEngine
{
    private readonly ChatTemplate? chatTemplate;

    /// <summary>The model's own chat template; null where its file has none. It is read when it is first used: a broken one throws there.</summary>
    public IChatTemplate? ChatTemplate => chatTemplate;

    /// <summary>Begins a conversation. Any number of them, and other requests, run beside each other.</summary>
    /// <param name="options">Null: the defaults, which need a model with a chat template.</param>
    /// <exception cref="TemplateException">The template is broken, or the model has none and the options give none.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed.</exception>
    public ChatSession CreateChat(ChatOptions? options = null)
    {
        ObjectDisposedException.ThrowIf(disposed != 0, this);
        options ??= new ChatOptions();
        options.Validate(LongestSequence);
        options.Generation.Validate(VocabularySize);
        ChatTemplate template = options.Template is { } source ? Parse(source) : chatTemplate ?? throw Models.Templates.ChatTemplate.Missing(ModelName);
        template.Prepare();
        return new ChatSession(this, options, template, tokenizer);
    }

    /// <summary>A template given as text knows the model's special tokens, as its own would.</summary>
    private ChatTemplate Parse(string source)
    {
        var tokens = new Dictionary<string, string>();
        if (tokenizer.BosId is { } bos) tokens["bos_token"] = tokenizer.Spelling(bos);
        if (tokenizer.EosId is { } eos) tokens["eos_token"] = tokenizer.Spelling(eos);
        return new ChatTemplate(nameof(ChatOptions.Template), new Dictionary<string, string> { [Models.Templates.ChatTemplate.Default] = source }, tokens);
    }
}
