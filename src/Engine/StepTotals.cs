namespace Inference;

/// <summary>Sums over the steps so far.</summary>
/// <param name="Running">Sequences that ran, summed over steps.</param>
/// <param name="PeakRunning">Most of them in a step.</param>
/// <param name="PromptRows">Rows of prompts computed, those that are computed again after a preemption included.</param>
/// <param name="Slots">Tokens that the blocks in use had room for, summed over steps.</param>
/// <param name="UnusedSlots">Those of them that held none.</param>
/// <param name="Seconds">Time of the steps, from planning to delivery.</param>
/// <param name="ForwardSeconds">Of it, between the upload of the batch and the logits.</param>
internal readonly record struct StepTotals(long Running, int PeakRunning, long PromptRows, long Slots, long UnusedSlots, double Seconds, double ForwardSeconds);
