using System.Text.Json.Nodes;

namespace Inference;

/// <summary>One message of a conversation.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c>, <c>tool</c>, or what else the model's template knows.</param>
/// <param name="Content">The text; null for none, which templates see as <c>none</c>.</param>
public sealed record ChatMessage(string Role, string? Content)
{
    /// <summary>Calls that the assistant made: an array of <c>{"type": "function", "function": {"name": …, "arguments": …}}</c>. Default none.</summary>
    public JsonNode? ToolCalls { get; init; }

    /// <summary>Which call a message of role <c>tool</c> answers. Default none.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>The tool, or the speaker. Default none.</summary>
    public string? Name { get; init; }

    /// <summary>What the assistant thought before it answered, for templates that want it apart. Default none.</summary>
    public string? ReasoningContent { get; init; }
}
