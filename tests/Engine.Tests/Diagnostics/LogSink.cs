using System.Collections.Concurrent;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Inference.Tests.Diagnostics;

/// <summary>Keeps what is logged.</summary>
internal sealed class LogSink : ILogEventSink
{
    public LogSink() => Logger = new LoggerConfiguration().MinimumLevel.Debug().WriteTo.Sink(this).CreateLogger();

    public ILogger Logger { get; }

    public ConcurrentQueue<LogEvent> Events { get; } = [];

    public void Emit(LogEvent logEvent) => Events.Enqueue(logEvent);
}
