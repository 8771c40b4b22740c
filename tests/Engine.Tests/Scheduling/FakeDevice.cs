using Inference.KvCache;
using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

/// <summary>
/// A device whose cache holds token ids. It knows only what plans upload: for every output row it reads the prefix back through its own copy
/// of the block table, and the next token is a hash of that prefix.
/// </summary>
internal sealed class FakeDevice(KvAllocator kv)
{
    public const int EndToken = 0;

    private readonly int[][] _pages = [.. kv.Groups.Select(g => Enumerable.Repeat(-1, g.Blocks * g.BlockSize).ToArray())];
    private readonly int[][] _swapSpace = [.. kv.Groups.Select((g, i) => Enumerable.Repeat(-1, kv.FreeSwapBlocks(i) * g.BlockSize).ToArray())];
    private readonly int[][,] _tables = [.. kv.Groups.Select(g => new int[kv.MaxSequences, g.BlocksFor(kv.MaxLength)])];
    private readonly HashSet<(ScheduledSequence, int)> _sampled = [];

    /// <summary>Positions whose prompt log-probabilities were computed, in order, per sequence.</summary>
    public Dictionary<ScheduledSequence, List<int>> LogprobRows { get; } = [];

    public StepResults Results { get; } = new(kv.MaxSequences);

    /// <summary>The model: one token in fifty or so ends the text.</summary>
    public static int Next(ReadOnlySpan<int> prefix)
    {
        uint hash = 2166136261;
        foreach (int token in prefix) hash = (hash ^ (uint)token) * 16777619;
        return (int)((hash >> 8) % 53);
    }

    /// <summary>What a request yields when nothing else runs and no cache is involved.</summary>
    public static List<int> Alone(ReadOnlySpan<int> prompt, int maxTokens, int maxLength)
    {
        List<int> tokens = [.. prompt];
        while (tokens.Count - prompt.Length < maxTokens && tokens.Count < maxLength)
        {
            int next = Next(tokens.ToArray());
            if (next == EndToken) break;
            tokens.Add(next);
        }
        return tokens;
    }

    public StepResults Run(StepPlan plan)
    {
        Results.Clear();
        for (int g = 0; g < plan.Groups; g++)
        {
            int size = kv.Groups[g].BlockSize;
            foreach ((BlockOperationKind kind, int from, int to) in plan.Operations(g))
                Array.Copy((kind == BlockOperationKind.SwapIn ? _swapSpace : _pages)[g], from * size, (kind == BlockOperationKind.SwapOut ? _swapSpace : _pages)[g], to * size, size);
            foreach (TableEntry entry in plan.NewEntries(g)) _tables[g][entry.TableSlot, entry.Index] = entry.Block;
            for (int row = 0; row < plan.RowCount; row++) _pages[g][plan.Slots(g)[row]] = plan.Tokens[row];
        }
        plan.OperationsDone();
        foreach (OutputRow output in plan.Outputs)
        {
            ScheduledSequence sequence = plan.Sequences[output.Sequence];
            int length = plan.Positions[output.Row] + 1, slot = plan.TableSlot[output.Sequence];
            if (output.Kind.HasFlag(OutputKind.Logprobs))
            {
                if (!LogprobRows.TryGetValue(sequence, out List<int>? rows)) LogprobRows.Add(sequence, rows = []);
                rows.Add(length - 1);
            }
            if (!output.Kind.HasFlag(OutputKind.Sample)) continue;
            Assert.True(_sampled.Add((sequence, length)), $"position {length} of {sequence} is sampled twice");
            int next = Next(Read(0, slot, length));
            for (int g = 1; g < plan.Groups; g++) Assert.Equal(next, Next(Read(g, slot, length)));
            if (next == EndToken) Results.Finish(output.Sequence);
            else Results.AddToken(output.Sequence, next);
        }
        return Results;
    }

    private int[] Read(int group, int slot, int length)
    {
        int size = kv.Groups[group].BlockSize;
        var tokens = new int[length];
        for (int p = 0; p < length; p++) tokens[p] = _pages[group][_tables[group][slot, p / size] * size + p % size];
        return tokens;
    }
}
