using Inference.Kernels;

namespace Inference.Models.Tests;

/// <summary>The decoder over the scalar references, against llama.cpp's logits: what finds a wrong forward pass, whatever kernels run it.</summary>
public class ReferenceConformanceTests(ITestOutputHelper output)
{
    [Fact]
    public void Exact_logits_are_llama_cpps() => new ConformanceRun(() => new ReferenceKernels()).Exact(ConformanceModel.RequireFolder(), Print);

    [Fact]
    public void Int8_activations_stay_within_the_bounds() => new ConformanceRun(() => new ReferenceKernels()).Fast(ConformanceModel.RequireFolder(), Print);

    [Fact]
    public void Int8_activations_and_F16_pages_stay_within_the_bounds() => new ConformanceRun(() => new ReferenceKernels(), KvType.F16).Fast(ConformanceModel.RequireFolder(), Print);

    [Fact]
    public void Kjv_5m_gives_PyTorchs_logprobs() => new GoldenRun(() => new ReferenceKernels(), KvType.F32, 2e-3).Run(GoldenRun.RequireFolder(), greedySteps: 24, Print);

    private void Print(string line)
    {
        output.WriteLine(line);
        if (!line.StartsWith("tiny", StringComparison.Ordinal)) Console.WriteLine(line); // CI shows how many cases ran
    }
}
