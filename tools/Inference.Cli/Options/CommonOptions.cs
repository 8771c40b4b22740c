using System.CommandLine;
using Serilog;
using Serilog.Events;

namespace Inference.Cli;

/// <summary>What several commands share: the model, and logging.</summary>
internal static class CommonOptions
{
    /// <summary>Holds for every command.</summary>
    public static Option<bool> Verbose { get; } = new("--verbose") { Description = "Log to standard error, and show where an error came from.", Recursive = true };

    public static Argument<string?> OptionalModel()
    {
        var argument = new Argument<string?>("MODEL") { Description = "GGUF file (of a split model any part), or a Hugging Face folder. Without it the sample model kjv-5m is used.", Arity = ArgumentArity.ZeroOrOne };
        argument.Validators.Add(CommandLineApp.RefuseOptions);
        return argument;
    }

    public static ModelSource Source(string? path)
    {
        if (path is null) return ModelSource.Sample;
        if (string.IsNullOrWhiteSpace(path)) throw new UsageException("MODEL is empty");
        return ModelSource.FromPath(path);
    }

    /// <summary>A logger to standard error, or null: the library is silent then.</summary>
    public static ILogger? Logger(ParseResult parsed) => parsed.GetValue(Verbose) ? Create() : null;

    // Apart, so that nothing of the sink is loaded without --verbose.
    private static ILogger Create() => new LoggerConfiguration().MinimumLevel.Debug()
        .WriteTo.Console(standardErrorFromLevel: LogEventLevel.Verbose, outputTemplate: "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}").CreateLogger();
}
