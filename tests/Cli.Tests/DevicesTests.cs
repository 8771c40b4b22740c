using Inference.Kernels;

namespace Inference.Cli.Tests;

public class DevicesTests
{
    [Fact]
    public async Task Every_device_is_listed_and_an_unusable_one_has_a_reason()
    {
        CliRun run = await CliRun.Of("devices");
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        string[] lines = run.Output.TrimEnd().Split('\n');
        Assert.StartsWith("device", lines[0]);
        Assert.Contains(lines, l => l.StartsWith("cpu ", StringComparison.Ordinal) && l.Contains(SimdLevels.Best.ToString(), StringComparison.OrdinalIgnoreCase) && l.EndsWith("usable", StringComparison.Ordinal));
        foreach (string kind in (string[])["cuda", "opencl", "ilgpu-cpu"]) Assert.Contains(lines, l => l.StartsWith(kind, StringComparison.Ordinal));
        Assert.All(lines[1..], l => Assert.Matches("usable$|usable: .+|limited.+", l));
    }

    [Fact]
    public Task A_device_that_is_not_there_is_an_error_with_the_reason() =>
        CliRun.Fails(ExitCode.Failed, "device 'cuda:63' was asked for, but", "generate", "--device", "cuda:63", "--prompt", "a");

    [Fact]
    public async Task The_simulator_gives_the_same_greedy_tokens_as_cpu()
    {
        string[] args = ["--prompt", "And Jesus answered and said unto them,", "--max-tokens", "6"];
        CliRun run = await CliRun.Of(["generate", "--device", "ilgpu-cpu", .. args]);
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        Assert.Equal(await CliRun.Generate(args), run.Output);
    }

    [Theory]
    [InlineData("portable")]
    [InlineData("avx2")]
    [InlineData("avx2vnni")]
    [InlineData("avx512")]
    [InlineData("avx512vnni")]
    public async Task An_instruction_set_can_be_forced(string simd)
    {
        CliRun run = await CliRun.Of("generate", "--simd", simd, "--prompt", "In the beginning God created the heaven and the earth.", "--max-tokens", "4");
        // The first four tokens of golden.json: newline, "A", "nd", " the".
        if (SimdLevels.IsSupported(Enum.Parse<SimdLevel>(simd, ignoreCase: true))) Assert.Equal((ExitCode.Done, "\nAnd the"), (run.Code, run.Output));
        else Assert.Equal((ExitCode.Failed, ""), (run.Code, run.Output));
    }
}
