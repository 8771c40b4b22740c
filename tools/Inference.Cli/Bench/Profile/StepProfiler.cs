using System.Diagnostics;
using System.Diagnostics.Metrics;
using Inference.Kernels;

namespace Inference.Cli;

/// <summary>
/// Collects the split of an engine's steps: operations from <see cref="ProfilingKernels"/>, which it puts between the engine and its device, and the
/// host's phases from the engine's meter. So an engine that is not profiled has nothing of it.
/// </summary>
internal sealed class StepProfiler : IDisposable
{
    private readonly MeterListener listener = new();
    private readonly PartCost[] step = new PartCost[StepPartNames.Count];
    private volatile Recording? recording;
    private Recording? current;
    private int engineThread, rows;

    /// <summary>A test under way, and which of its steps count.</summary>
    private sealed record Recording(StepProfile Profile, Func<StepBatch, bool> Filter);

    public StepProfiler()
    {
        // Read here: the instrument is published while the fields of its class are still being set.
        Instrument phases = EngineMeter.PhaseDuration;
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument == phases) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>(OnPhase);
        listener.Start();
    }

    /// <summary>The wrapper to load the engine with.</summary>
    public KernelSet Wrap(KernelSet kernels) => new ProfilingKernels(kernels, this);

    /// <summary>From the next step on, steps that pass the filter count for the profile.</summary>
    public StepProfile Begin(Func<StepBatch, bool> filter)
    {
        var profile = new StepProfile();
        recording = new Recording(profile, filter);
        return profile;
    }

    /// <summary>From the next step on, none counts.</summary>
    public void End() => recording = null;

    /// <summary>The first call of a step, on the engine's thread.</summary>
    public void BeginStep(StepBatch batch)
    {
        engineThread = Environment.CurrentManagedThreadId;
        rows = batch.RowCount;
        current = recording is { } r && r.Filter(batch) ? r : null;
        Array.Clear(step);
    }

    /// <summary>An operation of the step.</summary>
    public void Add(StepPart part, long ticks, long bytes, long operations) => step[(int)part] += new PartCost(ticks, bytes, operations);

    /// <summary>The engine's phases come at a step's end, in its thread; those of other engines of the process in theirs.</summary>
    private void OnPhase(Instrument instrument, double seconds, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        if (current is not { } recorded || Environment.CurrentManagedThreadId != engineThread) return;
        long ticks = (long)(seconds * Stopwatch.Frequency);
        switch ((string?)tags[^1].Value)
        {
            case "plan":
                Set(StepPart.Schedule, ticks);
                break;
            case "forward":
                foreach (PartCost operation in step.AsSpan((int)StepPart.Embed..((int)StepPart.Logits + 1))) ticks -= operation.Ticks;
                Set(StepPart.Prepare, Math.Max(0, ticks));
                break;
            case "sample":
                Set(StepPart.Sample, ticks);
                break;
            default:
                Set(StepPart.Deliver, ticks);
                recorded.Profile.Add(rows, step);
                current = null;
                break;
        }

        void Set(StepPart part, long value) => step[(int)part] = new PartCost(value, 0, 0);
    }

    public void Dispose() => listener.Dispose();
}
