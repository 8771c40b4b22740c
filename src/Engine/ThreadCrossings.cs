namespace Inference;

/// <summary>
/// The places where the engine's thread and its callers meet. Tests hold threads there, one running at a time, and so choose how they interleave; elsewhere there is none, which costs a branch.
/// Between two of these places a thread touches nothing that another one may touch, but for one thing.
/// </summary>
internal abstract class ThreadCrossings
{
    /// <summary>A thread is about to be started, by its maker.</summary>
    public abstract void Announce(string thread);

    /// <summary>The announced thread begins.</summary>
    public abstract void Enter(string thread);

    /// <summary>It touches nothing any more.</summary>
    public abstract void Leave();

    /// <summary>The calling thread waits next until that one has left.</summary>
    public abstract void Join(string thread);

    /// <summary>The calling thread does next what <paramref name="place"/> names; others may run before.</summary>
    public abstract void Reach(string place);

    /// <summary>The calling thread waits next for something that the condition tells.</summary>
    public abstract void Await(string place, Func<bool> condition);
}
