namespace Inference;

public sealed partial class InferenceEngine
{
    private const string ChatTemplateKey = "tokenizer.chat_template";

    private readonly string? chatTemplate;

    /// <summary>The model's own chat template, in Jinja; null where its file has none.</summary>
    public string? ChatTemplate => chatTemplate;

    /// <summary>Begins a conversation. Any number of them, and other requests, run beside each other.</summary>
    /// <param name="options">Null: the defaults, which need a model with a chat template.</param>
    /// <exception cref="TemplateException">The template cannot be read.</exception>
    /// <exception cref="InferenceException">The model has no chat template and the options give none.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed.</exception>
    public ChatSession CreateChat(ChatOptions? options = null)
    {
        ObjectDisposedException.ThrowIf(disposed != 0, this);
        options ??= new ChatOptions();
        options.Validate(LongestSequence);
        options.Generation.Validate(VocabularySize);
        string source = options.Template ?? chatTemplate
            ?? throw new InferenceException($"{ModelName} has no chat template ({ChatTemplateKey}): name one in {nameof(ChatOptions)}.{nameof(ChatOptions.Template)}, in the form that the model was trained on");
        return new ChatSession(this, options, new ProvisionalTemplate(source, tokenizer), source, tokenizer);
    }
}
