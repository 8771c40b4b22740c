using System.Text;

namespace Inference.Cli;

/// <summary>The three streams, which of them a person looks at, and the token that Ctrl-C cancels. Tests pass their own.</summary>
internal sealed class CliConsole(TextReader input, TextWriter output, TextWriter error, CancellationToken cancellation) : IDisposable
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    public TextReader In { get; } = input;

    /// <summary>Results only; buffered until flushed.</summary>
    public TextWriter Out { get; } = output;

    /// <summary>Errors and warnings; on a terminal also progress.</summary>
    public TextWriter Error { get; } = error;

    public CancellationToken Cancellation { get; } = cancellation;

    /// <summary>A command that goes on after Ctrl-C puts here what deals with it: false lets the program end. Called on another thread.</summary>
    public Func<bool>? Interrupt { get; set; }

    public bool InputIsTerminal { get; init; }
    public bool OutputIsTerminal { get; init; }
    public bool ErrorIsTerminal { get; init; }

    /// <summary>The streams of this process, UTF-8 on every system.</summary>
    public static CliConsole OfProcess(CancellationToken cancellation)
    {
        if (OperatingSystem.IsWindows() && !Console.IsOutputRedirected) Console.OutputEncoding = Utf8;
        Stream output = OperatingSystem.IsWindows() ? Console.OpenStandardOutput() : new UnixStandardOutput();
        return new CliConsole(new StreamReader(Console.OpenStandardInput(), Utf8), new StreamWriter(output, Utf8), Console.Error, cancellation)
        {
            InputIsTerminal = !Console.IsInputRedirected,
            OutputIsTerminal = !Console.IsOutputRedirected,
            ErrorIsTerminal = !Console.IsErrorRedirected,
        };
    }

    public void WriteError(string line) => Error.WriteLine("error: " + line);

    public void WriteWarning(string line) => Error.WriteLine("warning: " + line);

    /// <summary>Tells a person at the terminal; nobody else.</summary>
    public void WriteNote(string line)
    {
        if (ErrorIsTerminal) Error.WriteLine(line);
    }

    public void Dispose()
    {
        try
        {
            Out.Flush();
        }
        catch (IOException)
        {
            // The command has met the same error and reported it; what is left cannot be written.
        }
    }
}
