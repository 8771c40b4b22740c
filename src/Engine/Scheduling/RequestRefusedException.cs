namespace Inference.Scheduling;

/// <summary>A request could never run, not even alone; the message has the numbers.</summary>
internal sealed class RequestRefusedException(string message, int promptTokens, int maxTokens, int available) : ArgumentException(message)
{
    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens { get; } = promptTokens;

    /// <summary>Tokens asked for.</summary>
    public int MaxTokens { get; } = maxTokens;

    /// <summary>Tokens there is room for.</summary>
    public int Available { get; } = available;
}
