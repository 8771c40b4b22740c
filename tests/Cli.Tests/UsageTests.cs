namespace Inference.Cli.Tests;

/// <summary>Wrong command lines: exit code 2 and one line that names what is wrong.</summary>
public class UsageTests
{
    [Theory]
    [InlineData("a command is missing")]
    [InlineData("unknown command 'gen'", "gen")]
    [InlineData("a command is missing", "bench")]
    [InlineData("unknown option '--foo'", "generate", "--foo", "3")]
    [InlineData("unknown option '--foo'", "generate", "model.gguf", "--foo")]
    [InlineData("unknown option '--foo'", "--foo")]
    [InlineData("'b.gguf'", "generate", "a.gguf", "b.gguf")]
    [InlineData("--top-k must be a whole number of 0 or more, not 'many'", "generate", "--prompt", "a", "--top-k", "many")]
    [InlineData("--top-k", "generate", "--prompt", "a", "--top-k", "-1")]
    [InlineData("--top-k", "generate", "--prompt", "a", "--top-k", "1", "--top-k", "2")]
    [InlineData("--max-tokens", "generate", "--prompt", "a", "--max-tokens", "0")]
    [InlineData("--max-tokens", "generate", "--prompt", "a", "--max-tokens")]
    [InlineData("--temperature must be 0 or more, not '0,8'", "generate", "--prompt", "a", "--temperature", "0,8")]
    [InlineData("--temperature", "generate", "--prompt", "a", "--temperature", "NaN")]
    [InlineData("--top-p", "generate", "--prompt", "a", "--top-p", "0")]
    [InlineData("--min-p", "generate", "--prompt", "a", "--min-p", "1.5")]
    [InlineData("--repetition-penalty", "generate", "--prompt", "a", "--repetition-penalty", "0")]
    [InlineData("--seed", "generate", "--prompt", "a", "--seed", "-4")]
    [InlineData("--n must", "generate", "--prompt", "a", "--n", "0")]
    [InlineData("--stop must not be empty", "generate", "--prompt", "a", "--stop", "")]
    [InlineData("--stop-id", "generate", "--prompt", "a", "--stop-id", "x")]
    [InlineData("--logit-bias", "generate", "--prompt", "a", "--logit-bias", "5")]
    [InlineData("token 5 twice", "generate", "--prompt", "a", "--logit-bias", "5=1", "--logit-bias", "5=2")]
    [InlineData("--kv-type must be f32, f16, bf16, q8_0 or q4_0, or two of them for keys and values, such as q8_0,q4_0, not 'q5_0'", "generate", "--prompt", "a", "--kv-type", "q5_0")]
    [InlineData("--kv-type", "generate", "--prompt", "a", "--kv-type", "f16,")]
    [InlineData("--kv-type", "generate", "--prompt", "a", "--kv-type", "f16,f16,f16")]
    [InlineData("--kv-memory must be a size", "generate", "--prompt", "a", "--kv-memory", "lots")]
    [InlineData("--kv-memory and --kv-blocks", "generate", "--prompt", "a", "--kv-memory", "1M", "--kv-blocks", "4")]
    [InlineData("--block-size must be a multiple of 16", "generate", "--prompt", "a", "--block-size", "24")]
    [InlineData("--device", "generate", "--prompt", "a", "--device", "gpu")]
    [InlineData("--device", "generate", "--prompt", "a", "--device", "cuda:x")]
    [InlineData("--simd must be one of", "generate", "--prompt", "a", "--simd", "sse")]
    [InlineData("--simd is for device cpu", "generate", "--prompt", "a", "--simd", "avx2", "--device", "ilgpu-cpu")]
    [InlineData("--threads", "generate", "--prompt", "a", "--threads", "0")]
    [InlineData("--logprobs needs --json", "generate", "--prompt", "a", "--logprobs", "3")]
    [InlineData("--prompt-logprobs needs --json", "generate", "--prompt", "a", "--prompt-logprobs", "3")]
    [InlineData("--logit-hash needs --json", "generate", "--prompt", "a", "--logit-hash")]
    [InlineData("--prompt and --prompt-file", "generate", "--prompt", "a", "--prompt-file", "b")]
    [InlineData("the prompt is empty", "generate", "--prompt", "")]
    [InlineData("the prompt is empty", "generate")]
    [InlineData("MODEL is empty", "generate", "", "--prompt", "a")]
    [InlineData("'MODEL'", "inspect")]
    [InlineData("--batch", "bench", "run", "--batch", "1,x")]
    [InlineData("nothing to measure", "bench", "run", "--pp", "0", "--tg", "0")]
    [InlineData("the model has 512", "bench", "run", "--pp", "600")]
    [InlineData("--format must be one of", "bench", "run", "--format", "xml")]
    [InlineData("no case has that", "bench", "ops", "--device", "cpu", "--filter", "no such case")]
    public Task Wrong_usage_is_one_line_and_code_2(string message, params string[] args) => CliRun.Fails(ExitCode.Usage, message, args);

    [Theory]
    [InlineData("--stop-id must be from 0 to 4095, not 4096", "--stop-id", "4096")]
    [InlineData("--logit-bias must be from 0 to 4095, not 5000", "--logit-bias", "5000=1")]
    [InlineData("at most the model's 512 tokens, not 513", "--context", "513")]
    public Task What_only_the_model_can_judge_is_wrong_usage_too(string message, params string[] args) =>
        CliRun.Fails(ExitCode.Usage, message, ["generate", "--device", "cpu", "--prompt", "a", .. args]);

    [Fact]
    public async Task A_terminal_without_a_prompt_is_told_how_to_give_one()
    {
        using StringWriter output = new(), error = new();
        using var console = new CliConsole(new StringReader("never read"), output, error, CancellationToken.None) { InputIsTerminal = true };
        Assert.Equal(ExitCode.Usage, await CommandLineApp.RunAsync(["generate"], console));
        Assert.Contains("--prompt TEXT", error.ToString());
    }

    [Theory]
    [InlineData("inference [command]")]
    [InlineData("inference generate [<MODEL>]", "generate")]
    [InlineData("inference inspect <MODEL>", "inspect")]
    [InlineData("inference check [<MODEL>]", "check")]
    [InlineData("inference bench run [<MODEL>]", "bench", "run")]
    public async Task Help_names_the_program_and_goes_to_standard_output(string usage, params string[] args)
    {
        CliRun run = await CliRun.Of([.. args, "--help"]);
        Assert.Equal(ExitCode.Done, run.Code);
        Assert.Contains(usage, run.Output);
        Assert.Equal("", run.Error);
    }
}
