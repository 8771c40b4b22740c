using System.Text;

namespace Inference.Cli;

/// <summary>One thing that the user said: a message, or a command of the program.</summary>
internal readonly record struct ChatLine(string Text, bool IsCommand);

/// <summary>
/// Reads messages: a line each; a line that ends in <c>\</c> goes on in the next one, and <c>"""</c> begins a block of lines that ends with <c>"""</c>.
/// A line that begins with <c>/</c> is a command, one with <c>//</c> a message that begins with <c>/</c>.
/// </summary>
internal sealed class ChatInput(CliConsole console)
{
    private const string Prompt = "> ", Continuation = "... ", Block = "\"\"\"";

    private Task<string?>? pending;

    /// <summary>The next message that is not empty; null at the end of the input.</summary>
    /// <exception cref="OperationCanceledException">Ctrl-C; what was typed is dropped.</exception>
    public async Task<ChatLine?> ReadAsync(CancellationToken cancellation)
    {
        while (await ReadLineAsync(Prompt, cancellation).ConfigureAwait(false) is { } line)
        {
            bool command = line.StartsWith('/') && !line.StartsWith("//", StringComparison.Ordinal);
            if (command) return new ChatLine(line.Trim(), IsCommand: true);
            string text = line.StartsWith(Block, StringComparison.Ordinal) ? await ReadBlockAsync(line[Block.Length..], cancellation).ConfigureAwait(false)
                : await ReadContinuedAsync(line.StartsWith('/') ? line[1..] : line, cancellation).ConfigureAwait(false);
            if (!string.IsNullOrWhiteSpace(text)) return new ChatLine(text, IsCommand: false);
        }
        return null;
    }

    private async Task<string> ReadContinuedAsync(string line, CancellationToken cancellation)
    {
        var text = new StringBuilder();
        while (line.EndsWith('\\'))
        {
            text.Append(line.AsSpan(0, line.Length - 1));
            if (await ReadLineAsync(Continuation, cancellation).ConfigureAwait(false) is not { } next) return text.ToString();
            text.Append('\n');
            line = next;
        }
        return text.Append(line).ToString();
    }

    /// <summary>The lines between the marks, and what stands beside them. The end of the input ends a block too.</summary>
    private async Task<string> ReadBlockAsync(string first, CancellationToken cancellation)
    {
        if (first.EndsWith(Block, StringComparison.Ordinal)) return first[..^Block.Length];
        List<string> lines = first.Length > 0 ? [first] : [];
        while (await ReadLineAsync(Continuation, cancellation).ConfigureAwait(false) is { } line)
        {
            bool last = line.EndsWith(Block, StringComparison.Ordinal);
            if (!last || line.Length > Block.Length) lines.Add(last ? line[..^Block.Length] : line);
            if (last) break;
        }
        return string.Join('\n', lines);
    }

    private async Task<string?> ReadLineAsync(string prompt, CancellationToken cancellation)
    {
        if (console.InputIsTerminal)
        {
            console.Error.Write(prompt);
            console.Error.Flush();
        }
        // A terminal cannot be told to stop reading: a read that Ctrl-C left behind serves the next prompt.
        pending ??= Task.Run(console.In.ReadLine, CancellationToken.None);
        string? line = await pending.WaitAsync(cancellation).ConfigureAwait(false);
        pending = null;
        return line;
    }
}
