using System.CommandLine;
using System.Diagnostics;
using System.Text;
using Inference.Models;

namespace Inference.Cli;

/// <summary><c>bench tokenizer</c>: how fast text becomes tokens and tokens become text, on one core.</summary>
internal static class BenchTokenizerCommand
{
    private const int Megabyte = 1_000_000, Passes = 5;

    private sealed record Timing(string Text, int Bytes, int Tokens, double FirstSeconds, double EncodeSeconds, double DecodeSeconds)
    {
        public double First => Bytes / FirstSeconds / Megabyte;
        public double Encode => Bytes / EncodeSeconds / Megabyte;
        public double Decode => Bytes / DecodeSeconds / Megabyte;
    }

    public static Command Create(CliConsole console)
    {
        Argument<string> model = TokenizerArgument.Create();
        var file = new Option<string?>("--file") { Description = "Text to encode, UTF-8. Default: a megabyte of generated words.", HelpName = "FILE", Arity = ArgumentArity.ExactlyOne };
        Option<string?> format = BenchFormat.Option();
        var command = new Command("tokenizer", "Times encoding and decoding on one core, MB/s of UTF-8: the first pass over the text, and the best of later ones. Also a megabyte of one letter, of spaces and of (.") { model, file, format };
        command.SetAction(parsed => Run(console, parsed.GetRequiredValue(model), parsed.GetValue(file), parsed.GetValue(format)));
        return command;
    }

    private static int Run(CliConsole console, string model, string? file, string? format)
    {
        string text = file is null ? GeneratedText() : File.ReadAllText(file);
        if (text.Length == 0) throw new UsageException($"--file {file}: is empty");
        // Compiles all that is measured, with a tokenizer of its own: the measured one starts with empty caches.
        _ = Measure("", "warm up: the quick brown fox, 1234 times.\n", TokenizerArgument.Open(model), console.Cancellation);
        long began = Stopwatch.GetTimestamp();
        Tokenizer tokenizer = TokenizerArgument.Open(model);
        double loadSeconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        _ = tokenizer.Encode("a b", addSpecial: false, parseSpecial: false);
        double readySeconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        Timing[] timings =
        [
            Measure(file ?? "generated words", text, tokenizer, console.Cancellation),
            .. new (string, char)[] { ("1 MB of a", 'a'), ("1 MB of spaces", ' '), ("1 MB of (", '(') }.Select(t => Measure(t.Item1, new string(t.Item2, Megabyte), tokenizer, console.Cancellation)),
        ];
        Write(console.Out, format, model, loadSeconds, readySeconds, timings);
        return ExitCode.Done;
    }

    private static Timing Measure(string name, string text, Tokenizer tokenizer, CancellationToken cancellation)
    {
        var encode = new double[Passes];
        var decode = new double[Passes];
        int[] ids = [];
        for (int pass = 0; pass < Passes; pass++)
        {
            cancellation.ThrowIfCancellationRequested();
            long began = Stopwatch.GetTimestamp();
            ids = tokenizer.Encode(text, addSpecial: false, parseSpecial: true);
            encode[pass] = Stopwatch.GetElapsedTime(began).TotalSeconds;
            began = Stopwatch.GetTimestamp();
            _ = tokenizer.Decode(ids, skipSpecial: false);
            decode[pass] = Stopwatch.GetElapsedTime(began).TotalSeconds;
        }
        return new Timing(name, Encoding.UTF8.GetByteCount(text), ids.Length, encode[0], encode[1..].Min(), decode.Min());
    }

    private static void Write(TextWriter output, string? format, string model, double loadSeconds, double readySeconds, Timing[] timings)
    {
        var table = new TextTable("text", "bytes>", "tokens>", "first MB/s>", "encode MB/s>", "decode MB/s>");
        foreach (Timing t in timings) table.Add(t.Text, $"{t.Bytes:N0}", $"{t.Tokens:N0}", $"{t.First:F1}", $"{t.Encode:F1}", $"{t.Decode:F1}");
        BenchFormat.Write(output, format, table, json =>
        {
            json.WriteString("model", model);
            json.WriteReal("load_seconds", loadSeconds);
            json.WriteReal("ready_seconds", readySeconds);
            json.WriteArray("results", timings, t =>
            {
                json.WriteStartObject();
                json.WriteString("text", t.Text);
                json.WriteNumber("bytes", t.Bytes);
                json.WriteNumber("tokens", t.Tokens);
                json.WriteReal("first_mb_per_second", Math.Round(t.First, 2));
                json.WriteReal("encode_mb_per_second", Math.Round(t.Encode, 2));
                json.WriteReal("decode_mb_per_second", Math.Round(t.Decode, 2));
                json.WriteEndObject();
            });
        });
        if (format != "json") output.WriteLine($"one core; opening takes {loadSeconds * 1e3:F0} ms, opening and the first text {readySeconds * 1e3:F0} ms");
        output.Flush();
    }

    /// <summary>Words of random letters, drawn as often as natural words are (Zipf), with punctuation, numbers and line ends. Always the same.</summary>
    private static string GeneratedText()
    {
        const int vocabulary = 20_000;
        var random = new Random(1);
        string[] words = [.. Enumerable.Range(0, vocabulary).Select(_ => string.Concat(Enumerable.Range(0, random.Next(2, 10)).Select(_ => "etaoinshrdlucmfwypvbgkjqxz"[(int)(26 * Math.Pow(random.NextDouble(), 2))])))];
        var text = new StringBuilder(Megabyte + 64);
        while (text.Length < Megabyte)
        {
            string word = words[(int)Math.Pow(vocabulary, random.NextDouble()) - 1];
            text.Append(word).Append(random.Next(60) switch { < 4 => ", ", < 7 => ". ", 7 => ".\n\n", 8 => $" {random.Next(3000)} ", 9 => " (", _ => " " });
        }
        return text.ToString();
    }
}
