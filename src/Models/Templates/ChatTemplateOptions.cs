using System.Text.Json.Nodes;

namespace Inference;

/// <summary>What a chat template gets beside the messages.</summary>
public sealed record ChatTemplateOptions
{
    /// <summary>Descriptions of the functions that the model may call, in the form of the OpenAI API. Default none.</summary>
    public JsonArray? Tools { get; init; }

    /// <summary>Whether the prompt ends with the beginning of the assistant's answer. Default true, since an answer is what one asks for.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>Further variables that the template knows, such as <c>enable_thinking</c>; they win over all others. Default none.</summary>
    public IReadOnlyDictionary<string, JsonNode?> Variables { get; init; } = new Dictionary<string, JsonNode?>();

    /// <summary>Tells templates that mention it the date. Default the system's clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
