namespace Inference.Sampling;

/// <summary>How often each token occurred in one request's prompt and output; kept only where a penalty needs it.</summary>
internal sealed class TokenCounts
{
    private readonly Dictionary<int, int> counts = [];

    /// <summary>Notes one occurrence.</summary>
    public void Add(int token)
    {
        ref int count = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(counts, token, out _);
        count++;
    }

    /// <summary>Applies repetition, frequency and presence penalties to the logits of the tokens that occurred.</summary>
    public void Apply(Span<float> logits, float repetition, float frequency, float presence)
    {
        foreach ((int token, int count) in counts)
        {
            ref float logit = ref logits[token];
            logit = logit > 0 ? logit / repetition : logit * repetition;
            logit -= count * frequency + presence;
        }
    }
}
