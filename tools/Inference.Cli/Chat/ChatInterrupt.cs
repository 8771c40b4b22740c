namespace Inference.Cli;

/// <summary>
/// What Ctrl-C means in a conversation: while an answer runs, stop the answer; at the prompt, drop what was typed, and the second time in a row leave.
/// Called on the thread of the signal.
/// </summary>
/// <param name="program">Cancelled when the whole program is to end.</param>
internal sealed class ChatInterrupt(CancellationToken program) : IDisposable
{
    private readonly Lock gate = new();
    private CancellationTokenSource phase = new();
    private bool answering, warned;

    /// <summary>Begins to read a message; the token is cancelled by Ctrl-C, and when the program ends.</summary>
    public CancellationToken BeginInput() => Begin(answers: false);

    /// <summary>Begins to answer.</summary>
    public CancellationToken BeginAnswer() => Begin(answers: true);

    private CancellationToken Begin(bool answers)
    {
        lock (gate)
        {
            phase.Dispose();
            phase = CancellationTokenSource.CreateLinkedTokenSource(program);
            answering = answers;
            return phase.Token;
        }
    }

    /// <summary>A message has been read: Ctrl-C begins to count anew.</summary>
    public void Forget()
    {
        lock (gate) warned = false;
    }

    /// <summary>Deals with Ctrl-C; false where the program has to end.</summary>
    public bool Handle()
    {
        lock (gate)
        {
            // What is being stopped already and does not stop, or a second Ctrl-C at the prompt.
            if (phase.IsCancellationRequested || !answering && warned) return false;
            warned = !answering;
            _ = phase.CancelAsync();
            return true;
        }
    }

    public void Dispose() => phase.Dispose();
}
