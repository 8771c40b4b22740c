using Serilog;
using Serilog.Events;

namespace Inference;

/// <summary>The caller's logger, whose exceptions end nothing: it is called on the engine's thread, on behalf of everybody.</summary>
internal sealed class GuardedLogger(ILogger inner) : ILogger
{
    public bool IsEnabled(LogEventLevel level)
    {
        try
        {
            return inner.IsEnabled(level);
        }
        catch (Exception)
        {
            return false;
        }
    }

    public void Write(LogEvent logEvent)
    {
        try
        {
            inner.Write(logEvent);
        }
        catch (Exception)
        {
            // There is nobody left to tell.
        }
    }
}
