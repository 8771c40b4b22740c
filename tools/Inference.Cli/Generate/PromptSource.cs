using System.CommandLine;

namespace Inference.Cli;

/// <summary>Where prompts come from: the command line, a file, or standard input.</summary>
internal sealed class PromptSource
{
    private readonly Option<string[]> prompts = new("--prompt") { Description = "Text to continue; may be given several times, and all of them run at once.", HelpName = "TEXT" };
    private readonly Option<string?> file = new("--prompt-file") { Description = "File with the text to continue; one newline at its end is dropped. Without a prompt, standard input is read the same way.", HelpName = "FILE", Arity = ArgumentArity.ExactlyOne };

    public void AddTo(Command command)
    {
        command.Add(prompts);
        command.Add(file);
    }

    /// <exception cref="UsageException">No prompt, an empty one, or two sources.</exception>
    public async Task<string[]> ReadAsync(ParseResult parsed, CliConsole console)
    {
        string[] given = parsed.GetValue(prompts) ?? [];
        string? path = parsed.GetValue(file);
        if (given.Length > 0 && path is not null) throw new UsageException("--prompt and --prompt-file exclude each other");
        if (path is { Length: 0 }) throw new UsageException("--prompt-file is empty");
        if (given.Length == 0 && path is null && console.InputIsTerminal) throw new UsageException("no prompt: give --prompt TEXT, --prompt-file FILE, or text on standard input");
        string[] texts = given.Length > 0 ? given
            : path is not null ? [DropNewline(await TextFile.ReadAsync(path, console.Cancellation).ConfigureAwait(false))]
            : [DropNewline(await console.In.ReadToEndAsync(console.Cancellation).WaitAsync(console.Cancellation).ConfigureAwait(false))];
        if (texts.Contains("")) throw new UsageException("the prompt is empty");
        return texts;
    }

    /// <summary><c>echo</c> and editors end a text with a newline that nobody means.</summary>
    private static string DropNewline(string text) => text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
}
