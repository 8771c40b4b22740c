namespace Inference.Cli;

/// <summary>The command line cannot be carried out as written; the message is one line and names the option.</summary>
internal sealed class UsageException(string message) : Exception(message);
