using Inference.Kernels.Cases;

namespace Inference.Kernels.Tests;

/// <summary>Every operation case on the host kernels at every instruction set, against the scalar reference.</summary>
public class SimdOperationTests
{
    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (SimdLevel level in Enum.GetValues<SimdLevel>())
            foreach (OperationCase c in AllCases.Small()) data.Add(level.ToString(), c.ToString());
        return data;
    }

    [Theory, MemberData(nameof(Cases))]
    public void Agrees_with_the_reference(string level, string name)
    {
        Assert.SkipUnless(SimdLevels.IsSupported(Enum.Parse<SimdLevel>(level)), "instruction set absent: " + level);
        OperationCase c = AllCases.Small().Single(c => c.ToString() == name);
        using var reference = new ReferenceKernels();
        using var kernels = new SimdKernels(Enum.Parse<SimdLevel>(level), 2);
        double error = OperationCase.Error(c.Run(kernels), c.Run(reference));
        Assert.True(error <= c.Tolerance, $"{c}: error {error:E2}, allowed {c.Tolerance:E1}");
    }
}
