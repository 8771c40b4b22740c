namespace Inference;

/// <summary>
/// A chat template that cannot be read or rendered: a mistake in it, a conversation that it refuses (<c>raise_exception</c>), or a limit that it exceeds.
/// </summary>
public sealed class TemplateException : Exception
{
    /// <param name="reason">What is wrong.</param>
    /// <param name="line">Line of the template, from 1; 0 where none is to blame.</param>
    /// <param name="innerException">The cause, if another exception was.</param>
    public TemplateException(string reason, int line = 0, Exception? innerException = null)
        : base(line > 0 ? $"chat template, line {line}: {reason}" : reason, innerException)
    {
        Reason = reason;
        Line = line;
    }

    /// <summary>The message without the line; what <c>raise_exception</c> was given.</summary>
    public string Reason { get; }

    /// <summary>Line of the template, from 1; 0 where none is to blame.</summary>
    public int Line { get; }
}
