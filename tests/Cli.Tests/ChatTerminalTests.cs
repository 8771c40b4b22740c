using System.Collections.Concurrent;
using System.Text;

namespace Inference.Cli.Tests;

/// <summary><c>chat</c> as a person at a terminal meets it: prompts, notes and Ctrl-C. The signal itself is Program's and called here.</summary>
public sealed class ChatTerminalTests : IAsyncLifetime
{
    /// <summary>A keyboard: reading waits for the next line; null is Ctrl-D.</summary>
    private sealed class Keyboard : TextReader
    {
        public BlockingCollection<string?> Lines { get; } = [];

        public override string? ReadLine() => Lines.Take();
    }

    private sealed class Screen : StringWriter
    {
        /// <summary>Happens once, when something is written first.</summary>
        public Action? Written { get; set; }

        public override void Write(string? value)
        {
            lock (this) base.Write(value);
            Action? written = Written;
            Written = null;
            written?.Invoke();
        }

        public override void Write(char value)
        {
            lock (this) base.Write(value);
        }

        public override void WriteLine(string? value)
        {
            lock (this) base.WriteLine(value);
        }

        public override string ToString()
        {
            lock (this) return base.ToString();
        }

        public async Task WaitForAsync(string text, int times = 1)
        {
            for (int i = 0; i < 3000 && ToString().Split(text).Length - 1 < times; i++) await Task.Delay(10);
            Assert.Equal(times, ToString().Split(text).Length - 1);
        }
    }

    private readonly Keyboard keyboard = new();
    private readonly Screen output = new(), error = new();
    private readonly TemporaryFile template = TemporaryFile.With(Encoding.UTF8.GetBytes(ChatTests.Template));
    private readonly CliConsole console;

    public ChatTerminalTests() =>
        console = new CliConsole(keyboard, output, error, CancellationToken.None) { InputIsTerminal = true, OutputIsTerminal = true, ErrorIsTerminal = true };

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        template.Dispose();
        console.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task<int> Start(params string[] args) => CommandLineApp.RunAsync(["chat", "--device", "cpu", "--template-file", template.Path, .. args], console);

    [Fact]
    public async Task Ctrl_C_stops_the_answer_and_not_the_program()
    {
        bool handled = false;
        output.Written = () => handled = console.Interrupt!();
        Task<int> run = Start("--max-tokens", "490", "--ignore-eos");
        keyboard.Lines.Add("Who made the heaven?");
        await error.WaitForAsync("[stopped]");
        using var saved = new TemporaryFile();
        keyboard.Lines.Add($"/save {saved.Path}");
        await error.WaitForAsync("[saved 2 messages]");
        Assert.True(handled);
        // What was on the screen is what was kept.
        Assert.Contains(output.ToString().Split('\n')[0], File.ReadAllText(saved.Path), StringComparison.Ordinal);
        keyboard.Lines.Add("/exit");
        Assert.Equal(ExitCode.Done, await run);
        Assert.Null(console.Interrupt);
    }

    [Fact]
    public async Task Ctrl_C_at_the_prompt_drops_what_was_typed_and_a_second_one_leaves()
    {
        Task<int> run = Start("--max-tokens", "4");
        keyboard.Lines.Add("a line that goes on \\");
        await error.WaitForAsync("... ");
        Assert.True(console.Interrupt!());
        await error.WaitForAsync("[Ctrl-C again, or Ctrl-D, leaves]");
        keyboard.Lines.Add("Who made the heaven?");
        await error.WaitForAsync(", length]");
        Assert.True(console.Interrupt!());
        await error.WaitForAsync("[Ctrl-C again, or Ctrl-D, leaves]", 2);
        // Program ends then, as it does for any command.
        Assert.False(console.Interrupt!());
        keyboard.Lines.Add(null);
        Assert.Equal(ExitCode.Done, await run);
        Assert.DoesNotContain("goes on", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prompts_and_notes_go_to_standard_error_and_count_cached_tokens()
    {
        Task<int> run = Start("--max-tokens", "4", "--ignore-eos");
        keyboard.Lines.Add("Who made the heaven?");
        await error.WaitForAsync("0 of them cached; 4 tokens at ");
        keyboard.Lines.Add("\"\"\"And");
        keyboard.Lines.Add("the earth?\"\"\"");
        await error.WaitForAsync(", length]", 2);
        keyboard.Lines.Add(null);
        Assert.Equal(ExitCode.Done, await run);
        Assert.Equal(4, error.ToString().Split("> ").Length - 1 + error.ToString().Split("... ").Length - 1);
        Assert.Matches(@"\[\d+ prompt tokens, [1-9]\d* of them cached; 4 tokens at \d+/s, length\]\n> \n$", error.ToString());
        Assert.DoesNotContain("[", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_end_of_the_program_ends_a_conversation_that_waits_for_input()
    {
        using var source = new CancellationTokenSource();
        using var other = new CliConsole(keyboard, output, error, source.Token) { InputIsTerminal = true, ErrorIsTerminal = true };
        Task<int> run = CommandLineApp.RunAsync(["chat", "--device", "cpu", "--template-file", template.Path], other);
        await error.WaitForAsync("> ");
        source.Cancel();
        Assert.Equal(ExitCode.Cancelled, await run);
        keyboard.Lines.Add(null);
    }
}
