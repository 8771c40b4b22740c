namespace Inference.Tests.Faults;

/// <summary>Fails the n-th call of an operation from the moment it is armed, once.</summary>
internal sealed class Fault
{
    private string? operation;
    private int left;
    private Func<Exception>? exception;

    /// <summary>Times that it has failed.</summary>
    public int Fired { get; private set; }

    public void Arm(string name, int call, Func<Exception> make) => (left, exception, operation) = (call, make, name);

    public void Disarm() => operation = null;

    public void Before(string name)
    {
        if (name != operation || --left > 0) return;
        operation = null;
        Fired++;
        throw exception!();
    }
}
