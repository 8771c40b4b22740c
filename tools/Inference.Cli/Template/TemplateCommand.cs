using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Inference.Models.Templates;

namespace Inference.Cli;

/// <summary><c>template</c>: shows the prompt that a chat template makes of a conversation.</summary>
internal sealed class TemplateCommand
{
    private static readonly string[] TimeFormats = ["yyyy-MM-dd", "yyyy-MM-ddTHH:mmK", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mmK", "yyyy-MM-dd HH:mm:ssK"];

    private readonly CliConsole console;
    private readonly Argument<string?> model = new("MODEL") { Description = "GGUF file (weights are not read), or a folder with chat_template.jinja or tokenizer_config.json.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> templateFile = File("--template-file", "File with the template, instead of a model's.");
    private readonly Option<string?> messages = File("--messages", "File with the conversation: a JSON array of messages, or an object with \"messages\" and other variables.");
    private readonly Option<string?> tools = File("--tools", "With --messages: file with a JSON array of tools.");
    private readonly Option<string?> lines = File("--jsonl", "File with an object on each line (- is standard input), which holds all variables of one render; prints an object for each.");
    private readonly Option<bool> noGenerationPrompt = CliOption.Flag("--no-generation-prompt", "Do not end the prompt with the beginning of the assistant's answer.");
    private readonly Option<DateTimeOffset?> now = CliOption.Single<DateTimeOffset?>("--now", "ISO-TIME", "Date and time that the template sees. Default: the clock.", "a time such as 2025-07-10T12:00", ReadTime);

    private TemplateCommand(CliConsole console) => this.console = console;

    public static Command Create(CliConsole console)
    {
        var self = new TemplateCommand(console);
        self.model.Validators.Add(CommandLineApp.RefuseOptions);
        var command = new Command("template", "Prints the prompt that a model's chat template makes of a conversation.") { self.model };
        foreach (Option option in (Option[])[self.templateFile, self.messages, self.tools, self.lines, self.noGenerationPrompt, self.now]) command.Add(option);
        command.SetAction(self.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        string? modelPath = parsed.GetValue(model), templatePath = parsed.GetValue(templateFile), messagesPath = parsed.GetValue(messages), toolsPath = parsed.GetValue(tools), linesPath = parsed.GetValue(lines);
        if (modelPath is null == templatePath is null) throw new UsageException($"give either MODEL or {templateFile.Name} FILE");
        if (messagesPath is null == linesPath is null) throw new UsageException($"give either {messages.Name} FILE or {lines.Name} FILE");
        if (toolsPath is not null && messagesPath is null) throw new UsageException($"{tools.Name} needs {messages.Name}");
        ChatTemplate template = templatePath is not null ? ChatTemplate.FromText(InputFile.ReadText(templatePath), templatePath) : Open(modelPath!);
        TimeProvider clock = parsed.GetValue(now) is { } time ? new FixedClock(time) : TimeProvider.System;
        bool generationPrompt = !parsed.GetValue(noGenerationPrompt);
        if (linesPath is not null) RenderLines(template, linesPath, clock, generationPrompt);
        else Print(template.Render(ReadConversation(messagesPath!, toolsPath, generationPrompt), clock).Text);
        return ExitCode.Done;
    }

    private static ChatTemplate Open(string path)
    {
        if (string.IsNullOrWhiteSpace(path)) throw new UsageException("MODEL is empty");
        if (!System.IO.File.Exists(path) && !Directory.Exists(path)) throw new FileNotFoundException($"{path}: no such file or folder", path);
        return ChatTemplate.Open(path);
    }

    /// <summary>The prompt as it is; a person at a terminal gets a newline behind it.</summary>
    private void Print(string prompt)
    {
        console.Out.Write(prompt);
        if (console.OutputIsTerminal && !prompt.EndsWith('\n')) console.Out.WriteLine();
    }

    private static List<KeyValuePair<string, Value>> ReadConversation(string messagesPath, string? toolsPath, bool generationPrompt)
    {
        // In this order, since of several values the last counts.
        List<KeyValuePair<string, Value>> variables = [new("tools", Value.None), new("add_generation_prompt", Value.Of(generationPrompt))];
        using JsonDocument conversation = InputFile.ReadJson(messagesPath);
        if (conversation.RootElement.ValueKind == JsonValueKind.Array) variables.Add(new("messages", JsonValues.Variable("messages", conversation.RootElement)));
        else if (conversation.RootElement.ValueKind == JsonValueKind.Object && conversation.RootElement.TryGetProperty("messages", out _)) variables.AddRange(Members(conversation.RootElement));
        else throw new InvalidDataException($"{messagesPath}: expected a JSON array of messages, or an object with \"messages\"");
        if (toolsPath is null) return variables;
        using JsonDocument given = InputFile.ReadJson(toolsPath);
        if (given.RootElement.ValueKind != JsonValueKind.Array) throw new InvalidDataException($"{toolsPath}: expected a JSON array of tools");
        variables.Add(new("tools", JsonValues.Variable("tools", given.RootElement)));
        return variables;
    }

    /// <summary>Each line holds all there is to know; only the flag adds to it.</summary>
    private void RenderLines(ChatTemplate template, string path, TimeProvider clock, bool generationPrompt)
    {
        foreach ((int number, string line) in JsonLines.Lines(path, console))
        {
            (string name, string text) = RenderLine(template, line, clock, generationPrompt, number);
            JsonText.Write(console.Out, json => json.WriteString(name, text));
        }
    }

    private static (string Name, string Text) RenderLine(ChatTemplate template, string line, TimeProvider clock, bool generationPrompt, int number)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return ("error", $"line {number}: expected a JSON object");
            IEnumerable<KeyValuePair<string, Value>> variables = Members(document.RootElement);
            if (!generationPrompt) variables = variables.Append(new("add_generation_prompt", Value.False));
            return ("text", template.Render([.. variables], clock).Text);
        }
        catch (JsonException e)
        {
            return ("error", $"line {number}: expected a JSON object: {e.Message}");
        }
        catch (TemplateException e)
        {
            return ("error", e.Message);
        }
    }

    private static IEnumerable<KeyValuePair<string, Value>> Members(JsonElement json) => json.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, JsonValues.Variable(member.Name, member.Value)));

    private static bool ReadTime(string text, out DateTimeOffset? value)
    {
        bool read = DateTimeOffset.TryParseExact(text, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time);
        value = time;
        return read;
    }

    private static Option<string?> File(string name, string help) => new(name) { Description = help, HelpName = "FILE", Arity = ArgumentArity.ExactlyOne };

    /// <summary>A clock that stands still. Its zone is the time's own, so that the template sees what was typed.</summary>
    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone { get; } = TimeZoneInfo.CreateCustomTimeZone("given", now.Offset, null, null);

        public override DateTimeOffset GetUtcNow() => now.ToUniversalTime();
    }
}
