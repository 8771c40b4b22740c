using Inference.Kernels;

namespace Inference.Models;

/// <summary>The activations of one step, allocated once for the largest step. Each is float32, [rows][width].</summary>
internal sealed class Workspace : IDisposable
{
    /// <summary>Most bytes of logits computed at once: 64 MiB are 110 rows of a 152k vocabulary, and few enough to stay in memory that is at hand.</summary>
    private const long MaxLogitBytes = 64 << 20;

    private readonly List<Activations> owned = [];

    /// <param name="kernels">The device.</param>
    /// <param name="spec">Widths.</param>
    /// <param name="rows">Token rows of the largest step.</param>
    /// <param name="outputRows">Rows of logits wanted in the largest step.</param>
    public Workspace(KernelSet kernels, ModelSpec spec, int rows, int outputRows)
    {
        try
        {
            LogitRows = (int)Math.Clamp(MaxLogitBytes / (4L * spec.Vocabulary), 1, Math.Max(outputRows, 1));
            Residual = Allocate(rows, spec.Hidden);
            Query = Allocate(rows, spec.QueryWidth);
            Key = Allocate(rows, spec.KeyWidth);
            Value = Allocate(rows, spec.ValueWidth);
            Attention = Allocate(rows, spec.AttentionWidth);
            Gate = Allocate(rows, spec.FeedForward);
            Up = Allocate(rows, spec.FeedForward);
            Product = Allocate(rows, spec.FeedForward);
            Logits = Allocate(LogitRows, spec.Vocabulary);
        }
        catch
        {
            Dispose();
            throw;
        }

        Activations Allocate(int count, int width)
        {
            Activations activations = kernels.AllocateActivations(count, width);
            owned.Add(activations);
            return activations;
        }
    }

    public Activations Residual { get; }  // [rows][hidden]
    public Activations Query { get; }     // [rows][heads * keyDim]
    public Activations Key { get; }       // [rows][kvHeads * keyDim]
    public Activations Value { get; }     // [rows][kvHeads * valueDim]
    public Activations Attention { get; } // [rows][heads * valueDim]
    public Activations Gate { get; }      // [rows][feedForward]
    public Activations Up { get; }        // [rows][feedForward]
    public Activations Product { get; }   // [rows][feedForward], silu(gate) * up
    public Activations Logits { get; }    // [LogitRows][vocabulary]

    /// <summary>Rows of logits that one call may ask for.</summary>
    public int LogitRows { get; }

    public void Dispose()
    {
        foreach (Activations activations in owned) activations.Dispose();
    }
}
