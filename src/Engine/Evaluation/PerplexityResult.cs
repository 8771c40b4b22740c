namespace Inference.Evaluation;

/// <summary>Sums of a run over a text.</summary>
internal sealed class PerplexityResult
{
    private long agreements;

    /// <summary>-ln p of each predicted token.</summary>
    public Moments Nll { get; } = new();

    /// <summary>exp of the mean negative log likelihood.</summary>
    public double Perplexity => Math.Exp(Nll.Mean);

    /// <summary>Of the perplexity, to first order.</summary>
    public double PerplexityError => Perplexity * Nll.StandardError;

    /// <summary>Whether there was another run to compare with; the rest is empty otherwise.</summary>
    public required bool Compared { get; init; }

    /// <summary>KL(base || this) of each predicted token's distribution.</summary>
    public Moments Divergence { get; } = new();

    /// <summary>Share of predictions whose most likely token is the base's.</summary>
    public double TopAgreement => Nll.Count == 0 ? 0 : (double)agreements / Nll.Count;

    public required int Windows { get; init; }

    /// <summary>Time of the run without loading.</summary>
    public double Seconds { get; set; }

    public void Add(in RowMeasures row)
    {
        Nll.Add(row.Nll);
        if (!Compared) return;
        Divergence.Add(row.Divergence);
        if (row.SameTop) agreements++;
    }
}
