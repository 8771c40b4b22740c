namespace Inference.Cli;

/// <summary>What the time of a step goes to, in the order of the step.</summary>
internal enum StepPart
{
    /// <summary>The scheduler's plan.</summary>
    Schedule,

    /// <summary>What the forward pass takes beside its operations: the batch and its rotations, moving blocks, the calls.</summary>
    Prepare,
    Embed,
    Qkv,
    RopeWrite,
    Attention,
    AttentionOutput,
    GateUp,
    ActivationDown,

    /// <summary>Norm, head, and waiting for the device.</summary>
    Logits,
    Sample,

    /// <summary>Committing the step and handing tokens over.</summary>
    Deliver,
}

/// <summary>Names for people and for JSON.</summary>
internal static class StepPartNames
{
    private static readonly string[] Names = ["schedule", "prepare", "embed", "norm + qkv", "rope + KV write", "attention", "attention output", "norm + gate/up", "activation + down", "norm + logits", "sample", "deliver"];

    public static int Count => Names.Length;

    public static string Name(this StepPart part) => Names[(int)part];
}
