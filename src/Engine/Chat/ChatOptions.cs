using System.Text.Json.Nodes;

namespace Inference;

/// <summary>How a conversation is held. Everything has a default but, for a model that has none of its own, the template.</summary>
public sealed record ChatOptions
{
    /// <summary>What the model is told before the conversation begins; it stays when old turns are dropped. Default none.</summary>
    public string? SystemPrompt { get; init; }

    /// <summary>Chat template in Jinja. Default null: the model's own; a model without one is refused rather than addressed in a form it was not trained on.</summary>
    public string? Template { get; init; }

    /// <summary>Descriptions of the functions that the model may call, in the form of the OpenAI API. Default none.</summary>
    public JsonArray? Tools { get; init; }

    /// <summary>Further variables of the template, such as <c>enable_thinking</c>. Default none.</summary>
    public IReadOnlyDictionary<string, JsonNode?> TemplateVariables { get; init; } = new Dictionary<string, JsonNode?>();

    /// <summary>How answers are sampled, unless a turn says otherwise. Default: as for <see cref="InferenceEngine.GenerateAsync(string, GenerationOptions?, CancellationToken)"/>.</summary>
    public GenerationOptions Generation { get; init; } = new();

    /// <summary>
    /// Tokens to keep free for an answer: the oldest turns are dropped where a prompt leaves less. Default null: the answer's <see cref="GenerationOptions.MaxTokens"/>,
    /// but at most a quarter of the context, so that a generous limit does not cost half the conversation.
    /// </summary>
    public int? ReservedTokens { get; init; }

    internal void Validate(int contextLength)
    {
        if (ReservedTokens is { } reserved && (reserved < 1 || reserved >= contextLength))
            throw new ArgumentOutOfRangeException(nameof(ReservedTokens), reserved, $"{nameof(ReservedTokens)} must be from 1 to {contextLength - 1}");
    }
}
