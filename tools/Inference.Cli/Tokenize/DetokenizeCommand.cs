using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Inference.Models;

namespace Inference.Cli;

/// <summary><c>detokenize</c>: token ids to text.</summary>
internal static class DetokenizeCommand
{
    public static Command Create(CliConsole console)
    {
        Argument<string> model = TokenizerArgument.Create();
        var ids = new Argument<string[]>("IDS") { Description = "Token ids, separated by spaces or commas.", Arity = ArgumentArity.ZeroOrMore };
        var lines = new Option<string?>("--jsonl") { Description = "File with an object on each line (- is standard input), whose \"ids\" are decoded; prints an object for each.", HelpName = "FILE", Arity = ArgumentArity.ExactlyOne };
        Option<bool> skipSpecial = CliOption.Flag("--skip-special", "Leave out special tokens instead of spelling them."), json = CliOption.Flag("--json", "Print one JSON object.");
        var command = new Command("detokenize", "Shows the text of token ids.") { model, ids, lines, skipSpecial, json };
        command.SetAction(parsed => Run(console, parsed.GetRequiredValue(model), parsed.GetValue(ids) ?? [], parsed.GetValue(lines), parsed.GetValue(skipSpecial), parsed.GetValue(json)));
        return command;
    }

    private static int Run(CliConsole console, string model, string[] words, string? lines, bool skipSpecial, bool json)
    {
        if (words.Length == 0 == lines is null) throw new UsageException("give either IDS or --jsonl FILE");
        int[] given = [.. words.SelectMany(word => word.Split((char[])[',', ' ', '\n'], StringSplitOptions.RemoveEmptyEntries)).Select(ParseId)];
        Tokenizer tokenizer = TokenizerArgument.Open(model);
        if (lines is not null)
            foreach (int[] ids in JsonLines.Read(lines, console, "ids", ReadIds, "an array of token ids")) WriteObject(console.Out, tokenizer, ids);
        else if (json) WriteObject(console.Out, tokenizer, given);
        else console.Out.WriteLine(tokenizer.Decode(Check(tokenizer, given), skipSpecial));
        return ExitCode.Done;
    }

    private static void WriteObject(TextWriter output, Tokenizer tokenizer, int[] ids)
    {
        string decoded = tokenizer.Decode(Check(tokenizer, ids), skipSpecial: false), skipped = tokenizer.Decode(ids, skipSpecial: true);
        JsonText.Write(output, json =>
        {
            json.WriteString("decoded", decoded);
            json.WriteString("decoded_skip_special", skipped);
        });
    }

    private static int ParseId(string word) => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id : throw new UsageException($"'{word}' is no token id");

    private static int[]? ReadIds(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(id => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out _)) ? [.. value.EnumerateArray().Select(id => id.GetInt32())] : null;

    private static int[] Check(Tokenizer tokenizer, int[] ids)
    {
        foreach (int id in ids)
            if ((uint)id >= (uint)tokenizer.VocabularySize) throw new UsageException($"token id {id}: the vocabulary has {tokenizer.VocabularySize} tokens");
        return ids;
    }
}
