using Inference.Kernels;
using Inference.Scheduling;

namespace Inference.Sampling;

/// <summary>
/// Samples the rows of a step on the threads of the device, one row at a time. It reads requests and changes none, so rows may be taken in any
/// order on any thread; what they choose, and what sampling met in a client's data, waits for the engine's thread to take it up in order.
/// </summary>
internal sealed unsafe class SampleRows : ParallelJob
{
    private readonly KernelSet kernels;
    private readonly int vocabulary;
    private readonly int[] endTokens, tokens;
    private readonly Exception?[] failures;
    private readonly Sampler[] samplers;
    private StepPlan plan = null!;
    private Request[] requests = [];
    private float* logits;
    private int first;

    /// <param name="kernels">Whose threads sample.</param>
    /// <param name="vocabulary">Logits in a row.</param>
    /// <param name="endTokens">Tokens that end an answer.</param>
    /// <param name="rows">Rows at once, at most.</param>
    public SampleRows(KernelSet kernels, int vocabulary, int[] endTokens, int rows)
    {
        this.kernels = kernels;
        this.vocabulary = vocabulary;
        this.endTokens = endTokens;
        tokens = new int[rows];
        failures = new Exception?[rows];
        samplers = new Sampler[kernels.HostThreads];
        for (int i = 0; i < samplers.Length; i++) samplers[i] = new Sampler(vocabulary);
    }

    /// <summary>Chooses the token of each row whose output asks for one.</summary>
    /// <param name="plan">The step.</param>
    /// <param name="requests">The request of each sequence of the plan.</param>
    /// <param name="rows">Logits, [count][vocabulary].</param>
    /// <param name="first">Output of the first row.</param>
    /// <param name="count">Rows.</param>
    public void Run(StepPlan plan, Request[] requests, ReadOnlySpan<float> rows, int first, int count)
    {
        failures.AsSpan(0, count).Clear();
        (this.plan, this.requests, this.first) = (plan, requests, first);
        fixed (float* pointer = rows)
        {
            logits = pointer;
            kernels.RunOnHost(this, count);
        }
    }

    /// <summary>The token of row <paramref name="index"/> of the last run, or what went wrong there.</summary>
    public int Token(int index) => failures[index] is { } failure ? throw failure : tokens[index];

    public override void Run(int chunk, int thread)
    {
        OutputRow output = plan.Outputs[first + chunk];
        if ((output.Kind & OutputKind.Sample) == 0) return;
        Request request = requests[output.Sequence];
        var row = new ReadOnlySpan<float>(logits + (long)chunk * vocabulary, vocabulary);
        try
        {
            tokens[chunk] = samplers[thread].Sample(row, request.Options, request.Counts, request.Banned(endTokens), request.Seed, request.Sequence.GeneratedLength);
        }
        catch (Exception e)
        {
            // A dictionary of the client's, for example: the request's own affair.
            failures[chunk] = e;
        }
    }
}
