using Inference.Kernels;
using Inference.Kernels.Cases;
using Inference.Models;

namespace Inference.Cli;

/// <summary>How a short greedy generation on a device compares with the reference.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Steps">Tokens compared.</param>
/// <param name="Error">Largest difference of a logit, relative to the largest logit of its row.</param>
/// <param name="Allowed">What it may be.</param>
/// <param name="FirstDifference">First step whose token differs although the reference's margin is clear; null when there is none.</param>
internal sealed record GenerationCheckResult(string Model, int Steps, double Error, double Allowed, int? FirstDifference)
{
    public bool Passed => Steps > 0 && Error <= Allowed && FirstDifference is null;
}

/// <summary>The same model on a device and on the scalar reference. The device is fed the reference's tokens, so that every step compares alike.</summary>
internal static class GenerationCheck
{
    public const int Steps = 16;

    private const string Prompt = "In the beginning God created the heaven and the earth.";

    // Float formats differ by the order of sums and the rounding of KV; with int8 activations a last bit turns a quant over now and then.
    private const double FloatTolerance = 5e-3, QuantizedTolerance = 5e-2;

    public static GenerationCheckResult Run(string path, KernelSet kernels, Action<int> progress, CancellationToken cancellation)
    {
        using ModelFile file = ModelFile.Open(path);
        int[] prompt = file.ReadTokenizer().Encode(Prompt, addSpecial: true, parseSpecial: false);
        using var referenceKernels = new ReferenceKernels();
        using LoadedModel reference = LoadedModel.Load(file, referenceKernels, cancellation: cancellation), model = LoadedModel.Load(file, kernels, cancellation: cancellation);
        int steps = Math.Min(Steps, reference.Spec.Context - prompt.Length);
        using var expectedRun = new SequenceRun(reference, referenceKernels, prompt.Length + steps);
        using var actualRun = new SequenceRun(model, kernels, prompt.Length + steps);

        bool quantized = TensorFormat.All.Any(f => f.BlockElements > 1 && reference.BytesByType.ContainsKey(f.Name));
        double allowed = quantized ? QuantizedTolerance : FloatTolerance, worst = 0;
        int? firstDifference = null;
        int[] next = prompt;
        for (int step = 0; step < steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            float[] expected = expectedRun.Append(next), actual = actualRun.Append(next);
            worst = Math.Max(worst, OperationCase.Error(actual, expected));
            int best = Argmax(expected);
            if (Argmax(actual) != best && Margin(expected, best) > 2 * allowed * expected.Max(Math.Abs)) firstDifference ??= step;
            next = [best];
            progress(step + 1);
        }
        return new GenerationCheckResult(reference.Name, steps, worst, allowed, firstDifference);
    }

    private static int Argmax(float[] logits)
    {
        int best = 0;
        for (int i = 1; i < logits.Length; i++)
            if (logits[i] > logits[best]) best = i;
        return best;
    }

    private static double Margin(float[] logits, int best)
    {
        float second = float.NegativeInfinity;
        for (int i = 0; i < logits.Length; i++)
            if (i != best) second = Math.Max(second, logits[i]);
        return logits[best] - second;
    }
}
