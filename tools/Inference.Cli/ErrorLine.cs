namespace Inference.Cli;

/// <summary>What the user hears of an exception: one line, and the exit code.</summary>
internal static class ErrorLine
{
    /// <summary>Options whose values only the loaded model can judge, by the names that the library gives them.</summary>
    private static readonly Dictionary<string, string> OptionNames = new()
    {
        [nameof(GenerationOptions.StopTokenIds)] = "--stop-id",
        [nameof(GenerationOptions.LogitBias)] = "--logit-bias",
    };

    public static (int Code, string Line) Of(Exception e) => e switch
    {
        UsageException => (ExitCode.Usage, OneLine(e.Message)),
        ArgumentException argument => (ExitCode.Usage, OneLine(Plain(argument))),
        OutOfMemoryException => (ExitCode.Failed, "out of memory: " + OneLine(e.Message)),
        InferenceException or IOException or UnauthorizedAccessException or OperationCanceledException => (ExitCode.Failed, OneLine(e.Message)),
        ModelFormatException or DeviceUnavailableException or TemplateException => (ExitCode.Failed, OneLine(e.Message)),
        _ => (ExitCode.Failed, $"{e.GetType().Name}: {OneLine(e.Message)} (--verbose shows where)"),
    };

    public static string OneLine(string text) => string.Join(' ', text.Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    /// <summary>The message without what .NET adds about parameters, and with the option's name in front.</summary>
    private static string Plain(ArgumentException e)
    {
        int end = e.Message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        string message = end < 0 ? e.Message : e.Message[..end];
        if (e.ParamName is not null && OptionNames.TryGetValue(e.ParamName, out string? option)) message = message.Replace(e.ParamName, option, StringComparison.Ordinal);
        return e is ArgumentOutOfRangeException { ActualValue: { } value } ? $"{message}, not {value}" : message;
    }
}
