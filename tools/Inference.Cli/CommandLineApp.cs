using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace Inference.Cli;

/// <summary>The command tree, and the rules that hold for every command: exit codes, one line for an error, silence after a broken pipe.</summary>
internal static class CommandLineApp
{
    private const string Name = "inference", UnknownOption = "unknown option";

    public static async Task<int> RunAsync(string[] args, CliConsole console)
    {
        // A prompt may begin with @, which would otherwise name a file of further arguments, and -abc is not three options.
        var parserConfiguration = new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false };
        var invocation = new InvocationConfiguration { Output = console.Out, Error = console.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        ParseResult parsed = CreateRoot(console, args.FirstOrDefault()).Parse(args, parserConfiguration);
        if (parsed.Errors.Count > 0)
        {
            console.WriteError($"{Describe(parsed)} (see '{CommandPath(parsed)} --help')");
            return ExitCode.Usage;
        }
        bool verbose = parsed.GetValue(CommonOptions.Verbose);
        try
        {
            int code = await parsed.InvokeAsync(invocation, console.Cancellation).ConfigureAwait(false);
            console.Out.Flush();
            return code;
        }
        catch (BrokenPipeException)
        {
            // The reader has seen enough (`| head -1`).
            return ExitCode.Done;
        }
        catch (OperationCanceledException) when (console.Cancellation.IsCancellationRequested)
        {
            return ExitCode.Cancelled;
        }
        catch (Exception e)
        {
            (int code, string line) = ErrorLine.Of(e);
            console.WriteError(line);
            if (verbose) console.Error.WriteLine(e);
            return code;
        }
    }

    private static readonly (string Name, Func<CliConsole, Command> Create)[] Commands =
    [
        ("generate", GenerateCommand.Create),
        ("chat", ChatCommand.Create),
        ("devices", DevicesCommand.Create),
        ("inspect", InspectCommand.Create),
        ("tokenize", TokenizeCommand.Create),
        ("detokenize", DetokenizeCommand.Create),
        ("template", TemplateCommand.Create),
        ("perplexity", PerplexityCommand.Create),
        ("check", CheckCommand.Create),
        ("bench", BenchCommand.Create),
        ("pull", PullCommand.Create),
        ("quantize", QuantizeCommand.Create),
        ("convert", ConvertCommand.Create),
    ];

    /// <summary>All commands, or only the one that is run: making the others costs as much time as a small model's first token.</summary>
    private static Command CreateRoot(CliConsole console, string? first)
    {
        // Not a RootCommand: that one is named after the assembly and reads directives such as [diagram].
        var root = new Command(Name, "Runs language models from GGUF files and Hugging Face folders: text generation, conversations, inspection, self-checks and benchmarks.");
        int only = Array.FindIndex(Commands, command => command.Name == first);
        foreach ((_, Func<CliConsole, Command> create) in only < 0 ? Commands : Commands.AsSpan(only, 1)) root.Add(create(console));
        root.Add(CommonOptions.Verbose);
        root.Add(new HelpOption());
        root.Add(new VersionOption());
        return root;
    }

    /// <summary>The error that helps most: an unknown option first, since the parser complains about what follows it too.</summary>
    private static string Describe(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens.FirstOrDefault(LooksLikeOption) is { } option) return $"{UnknownOption} '{option}'";
        string message = parsed.Errors.Select(e => e.Message).OrderByDescending(m => m.StartsWith(UnknownOption, StringComparison.Ordinal)).First();
        if (parsed.CommandResult.Command.Subcommands.Count > 0)
            message = parsed.UnmatchedTokens is [var command, ..] ? $"unknown command '{command}'" : "a command is missing";
        return ErrorLine.OneLine(char.ToLowerInvariant(message[0]) + message[1..].TrimEnd('.'));
    }

    /// <summary>The parser takes an option that it does not know for an argument; this tells them apart again.</summary>
    public static void RefuseOptions(ArgumentResult result)
    {
        foreach (Token token in result.Tokens)
            if (LooksLikeOption(token.Value)) result.AddError($"{UnknownOption} '{token.Value}'");
    }

    private static bool LooksLikeOption(string token) => token.Length > 1 && token[0] == '-';

    private static string CommandPath(ParseResult parsed)
    {
        List<string> names = [];
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult { Command: var command }; result = result.Parent)
            names.Insert(0, command.Name);
        return string.Join(' ', names);
    }
}
