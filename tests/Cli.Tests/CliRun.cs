using System.Text.Json;

namespace Inference.Cli.Tests;

/// <summary>The program run inside the test process, its streams redirected as in a pipe.</summary>
internal sealed record CliRun(int Code, string Output, string Error)
{
    public static Task<CliRun> Of(params string[] args) => WithInput("", args);

    public static async Task<CliRun> WithInput(string input, params string[] args)
    {
        using StringWriter output = new(), error = new();
        using var console = new CliConsole(new StringReader(input), output, error, CancellationToken.None);
        int code = await CommandLineApp.RunAsync(args, console);
        return new CliRun(code, output.ToString(), error.ToString());
    }

    /// <summary>What <c>generate</c> prints on cpu, which must work.</summary>
    public static async Task<string> Generate(params string[] args)
    {
        CliRun run = await Of(["generate", "--device", "cpu", .. args]);
        Assert.Equal("", run.Error);
        Assert.Equal(ExitCode.Done, run.Code);
        return run.Output;
    }

    /// <summary>The same with <c>--json</c>: one object on one line.</summary>
    public static async Task<JsonElement> GenerateJson(params string[] args)
    {
        string output = await Generate([.. args, "--json"]);
        Assert.Equal(output.Length - 1, output.IndexOf('\n'));
        return JsonSerializer.Deserialize<JsonElement>(output);
    }

    /// <summary>Fails with the code and one line on standard error, which contains the text.</summary>
    public static async Task Fails(int code, string message, params string[] args)
    {
        CliRun run = await Of(args);
        Assert.StartsWith("error: ", run.Error);
        Assert.Contains(message, run.Error);
        Assert.Equal(run.Error.Length - 1, run.Error.IndexOf('\n'));
        Assert.Equal("", run.Output);
        Assert.Equal(code, run.Code);
    }

    public static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt32())];
}
