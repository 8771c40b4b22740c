namespace Inference;

/// <summary>The texts between which a family of reasoning models thinks before it answers.</summary>
/// <param name="Open">Begins the thinking block.</param>
/// <param name="Close">Ends it; what follows is the answer.</param>
internal sealed record ThinkingTags(string Open, string Close)
{
    /// <summary>DeepSeek-R1, Qwen3, QwQ, SmolLM3, GLM; Mistral's Magistral; Seed-OSS.</summary>
    private static readonly ThinkingTags[] Families = [new("<think>", "</think>"), new("[THINK]", "[/THINK]"), new("<seed:think>", "</seed:think>")];

    /// <summary>The tags that a chat template mentions; null: its family does not think, and the same text in an answer is text.</summary>
    public static ThinkingTags? Of(string templateSource) => Array.Find(Families, tags => templateSource.Contains(tags.Close, StringComparison.Ordinal));

    /// <summary>Whether a prompt leaves the model inside the block, as templates do that write the opening tag themselves.</summary>
    public bool IsOpenAfter(string prompt) => prompt.AsSpan().TrimEnd().EndsWith(Open, StringComparison.Ordinal);
}
