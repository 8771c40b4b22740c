using Inference.Kernels;
using Inference.Kernels.Cases;

namespace Inference.Cli;

/// <summary>One case on the device: its error, the error it may have, and its speed.</summary>
/// <param name="Case">What ran.</param>
/// <param name="Error">Largest difference from the reference, relative to the largest reference value; infinite where a value is no number.</param>
/// <param name="Seconds">Of one run.</param>
/// <param name="Failure">What the device threw; null when it ran.</param>
internal sealed record OperationCheckResult(OperationCase Case, double Error, double Seconds, string? Failure)
{
    public bool Passed => Failure is null && Error <= Case.Tolerance;
}

/// <summary>Runs operation cases on a device and on the scalar reference, which get the same inputs.</summary>
internal static class OperationCheck
{
    private static readonly TimeSpan TimingBudget = TimeSpan.FromMilliseconds(5);

    public static List<OperationCheckResult> Run(IReadOnlyList<OperationCase> cases, KernelSet kernels, Action<int> progress, CancellationToken cancellation)
    {
        using var reference = new ReferenceKernels();
        var results = new List<OperationCheckResult>(cases.Count);
        foreach (OperationCase @case in cases)
        {
            cancellation.ThrowIfCancellationRequested();
            results.Add(Run(@case, kernels, reference));
            progress(results.Count);
        }
        return results;
    }

    private static OperationCheckResult Run(OperationCase @case, KernelSet kernels, ReferenceKernels reference)
    {
        try
        {
            using PreparedCase prepared = @case.Prepare(kernels);
            prepared.Invoke();
            double error = OperationCase.Error(prepared.Read(), @case.Run(reference));
            return new OperationCheckResult(@case, error, CaseTimer.Seconds(prepared, TimingBudget), null);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A kernel that does not compile or run is what this command is there to find.
            return new OperationCheckResult(@case, double.PositiveInfinity, double.NaN, ErrorLine.OneLine(e.Message));
        }
    }
}
