using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Inference.Cli;

/// <summary><c>chat</c>: a conversation.</summary>
internal sealed class ChatCommand
{
    private readonly CliConsole console;
    private readonly Argument<string?> model = CommonOptions.OptionalModel();
    private readonly Option<string?> system = CliOption.Single<string?>("--system", "TEXT", "What the model is told before the conversation begins. Default: nothing.", "a text", (string text, out string? value) => (value = text) is not null);
    private readonly Option<string?> template = CliOption.Single<string?>("--template-file", "FILE", "Chat template, in Jinja. Default: the model's own.", "a file", (string text, out string? value) => (value = text).Length > 0);
    private readonly Option<string[]> variables = new("--template-var") { Description = "Variable of the template, its value in JSON or plain text, for example enable_thinking=false; may be given several times.", HelpName = "NAME=VALUE" };
    private readonly Option<string?> thinking = CliOption.Choice("--thinking", "Whether to print what a reasoning model thinks before it answers. Default: show on a terminal, else hide.", "show", "hide");
    private readonly SamplingCliOptions sampling = new();
    private readonly EngineCliOptions engine = new();

    private ChatCommand(CliConsole console) => this.console = console;

    public static Command Create(CliConsole console)
    {
        var self = new ChatCommand(console);
        var command = new Command("chat", "Holds a conversation. Each line is a message (\\ at the end of a line continues it, \"\"\" begins and ends a block of lines); /help lists the commands. Ctrl-C stops an answer, Ctrl-D leaves. With a pipe each line is a turn, and only the answers go to standard output.") { self.model };
        foreach (Option option in (Option[])[self.system, self.template, self.variables, self.thinking]) command.Add(option);
        self.sampling.AddTo(command);
        self.engine.AddTo(command, sizes: true);
        command.SetAction((parsed, _) => self.RunAsync(parsed));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        var options = new ChatOptions
        {
            SystemPrompt = parsed.GetValue(system),
            Template = parsed.GetValue(template) is { } path ? InputFile.ReadText(path) : null,
            TemplateVariables = ReadVariables(parsed.GetValue(variables) ?? []),
            Generation = sampling.Read(parsed),
        };
        EngineOptions engineOptions = engine.Read(parsed);
        ModelSource source = CommonOptions.Source(parsed.GetValue(model));
        await using InferenceEngine loaded = await EngineLoader.LoadAsync(console, source, engineOptions).ConfigureAwait(false);
        using ChatSession session = loaded.CreateChat(options);
        bool show = parsed.GetValue(thinking) is { } word ? word == "show" : console.OutputIsTerminal;
        return await new ChatRun(console, loaded, session, new AnswerPrinter(console, show)).RunAsync().ConfigureAwait(false);
    }

    private static Dictionary<string, JsonNode?> ReadVariables(string[] entries)
    {
        var values = new Dictionary<string, JsonNode?>();
        foreach (string entry in entries)
        {
            int equals = entry.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1) throw new UsageException($"--template-var must be NAME=VALUE, for example enable_thinking=false, not '{entry}'");
            if (!values.TryAdd(entry[..equals], ReadValue(entry[(equals + 1)..]))) throw new UsageException($"--template-var names {entry[..equals]} twice");
        }
        return values;
    }

    private static JsonNode? ReadValue(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
