using System.CommandLine;
using System.Text.Json;
using Inference.Models;

namespace Inference.Cli;

/// <summary><c>tokenize</c>: text to token ids.</summary>
internal static class TokenizeCommand
{
    public static Command Create(CliConsole console)
    {
        Argument<string> model = TokenizerArgument.Create();
        var text = new Argument<string?>("TEXT") { Description = "Text to encode; what spells a special token is that token.", Arity = ArgumentArity.ZeroOrOne };
        var lines = new Option<string?>("--jsonl") { Description = "File with an object on each line (- is standard input), whose \"text\" is encoded; prints an object for each.", HelpName = "FILE", Arity = ArgumentArity.ExactlyOne };
        Option<bool> noSpecial = CliOption.Flag("--no-special", "Add no tokens around the text, such as the one that begins a sequence."), json = CliOption.Flag("--json", "Print one JSON object.");
        var command = new Command("tokenize", "Shows the token ids of a text.") { model, text, lines, noSpecial, json };
        command.SetAction(parsed => Run(console, parsed.GetRequiredValue(model), parsed.GetValue(text), parsed.GetValue(lines), parsed.GetValue(noSpecial), parsed.GetValue(json)));
        return command;
    }

    private static int Run(CliConsole console, string model, string? text, string? lines, bool noSpecial, bool json)
    {
        if (text is null == lines is null) throw new UsageException("give either TEXT or --jsonl FILE");
        Tokenizer tokenizer = TokenizerArgument.Open(model);
        if (lines is not null)
            foreach (string line in JsonLines.Read(lines, console, "text", value => value.GetString(), "a text")) WriteObject(console.Out, tokenizer, line, noSpecial, spellings: false);
        else if (json) WriteObject(console.Out, tokenizer, text!, noSpecial, spellings: true);
        else console.Out.WriteLine(string.Join(' ', tokenizer.Encode(text!, addSpecial: !noSpecial, parseSpecial: true)));
        return ExitCode.Done;
    }

    private static void WriteObject(TextWriter output, Tokenizer tokenizer, string text, bool noSpecial, bool spellings) => JsonText.Write(output, json =>
    {
        int[] ids = tokenizer.Encode(text, addSpecial: false, parseSpecial: true);
        json.WriteArray("ids", ids, json.WriteNumberValue);
        if (!noSpecial) json.WriteArray("ids_with_special", tokenizer.Encode(text, addSpecial: true, parseSpecial: true), json.WriteNumberValue);
        json.WriteString("decoded", tokenizer.Decode(ids, skipSpecial: false));
        json.WriteString("decoded_skip_special", tokenizer.Decode(ids, skipSpecial: true));
        if (spellings) json.WriteArray("tokens", ids, id => json.WriteStringValue(tokenizer.Spelling(id)));
    });
}
