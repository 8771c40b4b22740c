namespace Inference.Scheduling;

/// <summary>Where a sequence stands with the scheduler.</summary>
internal enum SequenceState
{
    /// <summary>Queued, holds no blocks. A preempted sequence is here again, perhaps with blocks in the swap space.</summary>
    Waiting,

    /// <summary>Holds a table slot and blocks.</summary>
    Running,

    /// <summary>Its reader lags: it is not computed, and keeps its blocks until somebody needs them.</summary>
    Paused,

    /// <summary>Done for the reason in <see cref="ScheduledSequence.End"/>, holds nothing.</summary>
    Finished,
}

/// <summary>Why a sequence is finished.</summary>
internal enum SequenceEnd
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>The results of a step said so: a stop id, a stop string, or an error of this sequence alone.</summary>
    Stopped,

    /// <summary>It has the tokens asked for, or no room for another one.</summary>
    Length,

    /// <summary><see cref="Scheduler.Cancel"/> was called.</summary>
    Cancelled,

    /// <summary>It was not complete within its time.</summary>
    Expired,
}

/// <summary>What the logits of a row are wanted for.</summary>
[Flags]
internal enum OutputKind
{
    None = 0,

    /// <summary>The next token of the sequence is sampled from them.</summary>
    Sample = 1,

    /// <summary>They give the log-probability of the prompt token that follows the row.</summary>
    Logprobs = 2,
}
