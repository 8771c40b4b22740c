using System.Text;

namespace Inference.Cli;

/// <summary>One sample of one prompt, as far as it has come.</summary>
/// <param name="promptIndex">Which prompt.</param>
/// <param name="generation">The running request.</param>
internal sealed class Completion(int promptIndex, Generation generation)
{
    public int PromptIndex { get; } = promptIndex;
    public Generation Generation { get; } = generation;
    public StringBuilder Text { get; } = new();
    public List<int> TokenIds { get; } = [];
    public List<TokenLogprobs> Logprobs { get; } = [];

    /// <summary>One hash per step, so one more than tokens where an end token finished the answer.</summary>
    public List<ulong> LogitHashes { get; } = [];

    public FinishReason FinishReason { get; private set; } = FinishReason.Cancelled;

    /// <summary>What failed; null when nothing did.</summary>
    public Exception? Error { get; private set; }

    /// <summary>Takes the answer as it is made. A request that is cancelled or fails keeps what it has.</summary>
    public async Task CollectAsync(Action<GeneratedToken> onToken)
    {
        try
        {
            // Without a token of its own: whoever cancels the request ends the stream, after all that was made.
            await foreach (GeneratedToken token in Generation.ConfigureAwait(false))
            {
                Add(token);
                onToken(token);
            }
        }
        catch (OperationCanceledException)
        {
            FinishReason = FinishReason.Cancelled;
        }
        catch (InferenceException e)
        {
            FinishReason = FinishReason.Error;
            Error = e;
        }
    }

    private void Add(GeneratedToken token)
    {
        Text.Append(token.Text);
        if (token.TokenId is { } id) TokenIds.Add(id);
        if (token.Logprobs is { } logprobs) Logprobs.Add(logprobs);
        if (token.LogitHash is { } hash) LogitHashes.Add(hash);
        if (token.FinishReason is { } reason) FinishReason = reason;
    }
}
