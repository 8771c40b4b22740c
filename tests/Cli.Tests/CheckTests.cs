using Inference.Kernels;
using Inference.Kernels.Cases;
using Inference.Tests.Shared;

namespace Inference.Cli.Tests;

/// <summary><c>check</c>: passes on cpu, and notices what it is there to notice.</summary>
public class CheckTests
{
    private static readonly string Sample = Path.Combine(SharedData.Root, "tools", "SampleModel", "kjv-5m-f16.gguf");

    [Fact]
    public async Task Cpu_agrees_with_the_reference()
    {
        CliRun run = await CliRun.Of("check", "--device", "cpu");
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        Assert.Contains($"{AllCases.Small().Count()} cases on cpu", run.Output);
        Assert.Contains("tokens agree", run.Output);
    }

    [Fact]
    public async Task No_cases_are_a_failure()
    {
        CliRun run = await CliRun.Of("check", "--device", "cpu", "--filter", "no such case");
        Assert.Equal(ExitCode.Failed, run.Code);
        Assert.Contains("0 cases", run.Output);
    }

    [Fact]
    public void A_wrong_value_a_NaN_and_an_exception_each_fail()
    {
        OperationCase right = AllCases.Small().First(c => c.Operation == "GateUpActivation");
        using var kernels = new SimdKernels(SimdLevel.Portable, 1);
        Assert.True(Check(right).Passed);
        Assert.False(Check(Altered(0.01f)).Passed);
        Assert.False(Check(Altered(float.NaN)).Passed);
        OperationCheckResult thrown = Check(right with { Prepare = k => k is ReferenceKernels ? right.Prepare(k) : throw new InvalidOperationException("does not compile") });
        Assert.False(thrown.Passed);
        Assert.Equal("does not compile", thrown.Failure);

        OperationCheckResult Check(OperationCase c) => Assert.Single(OperationCheck.Run([c], kernels, _ => { }, CancellationToken.None));

        // The device's case reads other values than the reference's.
        OperationCase Altered(float value) => right with
        {
            Prepare = k =>
            {
                PreparedCase prepared = right.Prepare(k);
                if (k is ReferenceKernels) return prepared;
                prepared.Invoke();
                float[] values = prepared.Read();
                Activations output = k.AllocateActivations(1, values.Length);
                values[3] += value;
                return new PreparedCase(k, () => k.Fill(output, values), output, 1, prepared, output);
            },
        };
    }

    [Fact]
    public void Generation_agrees_and_fails_on_an_error_a_difference_or_no_steps()
    {
        using var kernels = new SimdKernels(SimdLevel.Portable, 2);
        GenerationCheckResult right = GenerationCheck.Run(Sample, kernels, _ => { }, CancellationToken.None);
        Assert.True(right.Passed);
        Assert.Equal(GenerationCheck.Steps, right.Steps);
        Assert.False((right with { Error = double.PositiveInfinity }).Passed);
        Assert.False((right with { FirstDifference = 3 }).Passed);
        Assert.False((right with { Steps = 0 }).Passed);
    }
}
