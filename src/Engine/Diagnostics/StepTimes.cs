namespace Inference;

/// <summary>Where the time of a step went, in ticks of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
/// <param name="Plan">Scheduling.</param>
/// <param name="Forward">Moving blocks, the forward pass, and waiting for its logits.</param>
/// <param name="Sample">Choosing tokens and their text.</param>
/// <param name="Deliver">Committing, counting, handing over.</param>
internal readonly record struct StepTimes(long Plan, long Forward, long Sample, long Deliver)
{
    public long Total => Plan + Forward + Sample + Deliver;
}

/// <summary>Tokens of all requests so far.</summary>
/// <param name="Prompt">Of prompts whose answer has begun.</param>
/// <param name="Generated">Of answers.</param>
/// <param name="Queried">Of prompts that were looked up in the prefix cache.</param>
/// <param name="Found">Those of them that were found.</param>
internal readonly record struct TokenTotals(long Prompt, long Generated, long Queried, long Found);
