using System.Diagnostics;

namespace Inference.Cli;

/// <summary>Time, bytes read and operations of one part of a step, summed over steps.</summary>
/// <param name="Ticks">Of <see cref="Stopwatch"/>.</param>
/// <param name="Bytes">Of weights as they are packed, each counted once a step; of attention, of keys and values.</param>
/// <param name="Operations">Multiplications and additions.</param>
internal readonly record struct PartCost(long Ticks, long Bytes, long Operations)
{
    public double Seconds => (double)Ticks / Stopwatch.Frequency;

    public static PartCost operator +(PartCost a, PartCost b) => new(a.Ticks + b.Ticks, a.Bytes + b.Bytes, a.Operations + b.Operations);
}

/// <summary>Where the time of the steps of one test went. Written by the engine's thread, read once that is idle.</summary>
internal sealed class StepProfile
{
    private readonly PartCost[] parts = new PartCost[StepPartNames.Count];

    public int Steps { get; private set; }

    /// <summary>Rows of all steps.</summary>
    public long Rows { get; private set; }

    public PartCost this[StepPart part] => parts[(int)part];

    /// <summary>Time of all steps, from planning to delivery.</summary>
    public double Seconds => parts.Sum(p => p.Seconds);

    /// <summary>Seconds of a part in the mean step.</summary>
    public double PerStep(StepPart part) => this[part].Seconds / Steps;

    /// <summary>Adds a step.</summary>
    public void Add(int rows, ReadOnlySpan<PartCost> step)
    {
        Steps++;
        Rows += rows;
        for (int i = 0; i < parts.Length; i++) parts[i] += step[i];
    }
}
