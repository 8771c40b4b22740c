using System.Runtime.InteropServices;
using Inference.KvCache;

namespace Inference.Scheduling;

/// <summary>An entry of a block table that the device lacks.</summary>
/// <param name="TableSlot">Row of the block table.</param>
/// <param name="Index">Entry of the row: position / block size.</param>
/// <param name="Block">Physical block.</param>
internal readonly record struct TableEntry(int TableSlot, int Index, int Block);

/// <summary>A row whose logits are wanted.</summary>
/// <param name="Row">Row of the step.</param>
/// <param name="Sequence">Index of its sequence in the step.</param>
/// <param name="Kind">What for.</param>
internal readonly record struct OutputRow(int Row, int Sequence, OutputKind Kind);

/// <summary>
/// One step: which rows of which sequences to compute, where their keys and values go, and whose logits are wanted. Sequences that decode
/// come first. The scheduler fills the same object again for the next step; nobody else changes it.
/// </summary>
internal sealed class StepPlan
{
    private readonly ScheduledSequence[] _sequences;
    private readonly int[] _queryStart;
    private readonly int[] _queryCount;
    private readonly int[] _kvLength;
    private readonly int[] _tableSlot;
    private readonly int[] _tokens;
    private readonly int[] _positions;
    private readonly int[] _rowSequence;
    private readonly int[][] _slots;
    private readonly List<TableEntry>[] _newEntries;
    private readonly OutputRow[] _outputs;
    private readonly List<ScheduledSequence> _preempted = [];
    private readonly List<ScheduledSequence> _expired = [];
    private readonly KvAllocator _kv;

    internal StepPlan(int maxRows, KvAllocator kv)
    {
        _kv = kv;
        int maxSequences = kv.MaxSequences, groups = kv.Groups.Count;
        _sequences = new ScheduledSequence[maxSequences];
        _queryStart = new int[maxSequences];
        _queryCount = new int[maxSequences];
        _kvLength = new int[maxSequences];
        _tableSlot = new int[maxSequences];
        _tokens = new int[maxRows];
        _positions = new int[maxRows];
        _rowSequence = new int[maxRows];
        _outputs = new OutputRow[maxRows];
        _slots = new int[groups][];
        _newEntries = new List<TableEntry>[groups];
        for (int g = 0; g < groups; g++)
        {
            _slots[g] = new int[maxRows];
            _newEntries[g] = [];
        }
    }

    /// <summary>Sequences of the step; 0 when there is nothing to do.</summary>
    public int SequenceCount { get; private set; }

    /// <summary>Rows of the step.</summary>
    public int RowCount { get; private set; }

    /// <summary>Rows whose logits are wanted.</summary>
    public int OutputCount { get; private set; }

    /// <summary>Rows that compute the newest generated token of a sequence.</summary>
    public int DecodeRows { get; private set; }

    /// <summary>Rows that compute prompt tokens, or generated ones again after a preemption.</summary>
    public int PrefillRows => RowCount - DecodeRows;

    /// <summary>Sequences whose rows do not reach the end of what is known of them.</summary>
    public int PartialChunks { get; private set; }

    /// <summary>Cache groups.</summary>
    public int Groups => _slots.Length;

    /// <summary>[sequence] the sequence.</summary>
    public ReadOnlySpan<ScheduledSequence> Sequences => _sequences.AsSpan(0, SequenceCount);

    /// <summary>[sequence] its first row.</summary>
    public ReadOnlySpan<int> QueryStart => _queryStart.AsSpan(0, SequenceCount);

    /// <summary>[sequence] its rows, at least 1, in order of position.</summary>
    public ReadOnlySpan<int> QueryCount => _queryCount.AsSpan(0, SequenceCount);

    /// <summary>[sequence] tokens in the cache once the step's rows are written: position of its last row + 1.</summary>
    public ReadOnlySpan<int> KvLength => _kvLength.AsSpan(0, SequenceCount);

    /// <summary>[sequence] row of the device's block tables.</summary>
    public ReadOnlySpan<int> TableSlot => _tableSlot.AsSpan(0, SequenceCount);

    /// <summary>[row] token id.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, RowCount);

    /// <summary>[row] position in its sequence, from 0.</summary>
    public ReadOnlySpan<int> Positions => _positions.AsSpan(0, RowCount);

    /// <summary>[row] index of its sequence in this step.</summary>
    public ReadOnlySpan<int> RowSequence => _rowSequence.AsSpan(0, RowCount);

    /// <summary>[output] rows whose logits are wanted, ascending.</summary>
    public ReadOnlySpan<OutputRow> Outputs => _outputs.AsSpan(0, OutputCount);

    /// <summary>Sequences that lost their blocks while this step was planned, in that order; none of them is in the step.</summary>
    public ReadOnlySpan<ScheduledSequence> Preempted => CollectionsMarshal.AsSpan(_preempted);

    /// <summary>Sequences that ended while this step was planned, since their time was up.</summary>
    public ReadOnlySpan<ScheduledSequence> Expired => CollectionsMarshal.AsSpan(_expired);

    /// <summary>[row] where keys and values go in a cache group: block * block size + offset.</summary>
    public ReadOnlySpan<int> Slots(int group) => _slots[group].AsSpan(0, RowCount);

    /// <summary>Block-table entries of a cache group that the device lacks; to be uploaded before the step runs.</summary>
    public ReadOnlySpan<TableEntry> NewEntries(int group) => CollectionsMarshal.AsSpan(_newEntries[group]);

    /// <summary>Blocks of a cache group to be moved before anything is written, in this order. Those of a plan that was abandoned before <see cref="OperationsDone"/> are there again.</summary>
    public ReadOnlySpan<BlockOperation> Operations(int group) => _kv.Operations(group);

    /// <summary>Whether blocks are to be moved that have not been yet.</summary>
    public bool HasOperations
    {
        get
        {
            for (int g = 0; g < Groups; g++)
                if (!Operations(g).IsEmpty) return true;
            return false;
        }
    }

    /// <summary>Nobody knows which of the blocks were moved: what they should hold is not found any more. Who holds them must be discarded.</summary>
    public void DropOperations() => _kv.DropOperations();

    /// <summary>The device has moved the blocks of all groups.</summary>
    public void OperationsDone() => _kv.ClearOperations();

    internal void Clear()
    {
        // All of it: sequences of an earlier, wider step must not stay reachable.
        Array.Clear(_sequences);
        SequenceCount = RowCount = OutputCount = DecodeRows = PartialChunks = 0;
        _preempted.Clear();
        _expired.Clear();
        foreach (List<TableEntry> entries in _newEntries) entries.Clear();
    }

    internal void AddExpired(ScheduledSequence sequence) => _expired.Add(sequence);

    internal void AddPreempted(ScheduledSequence sequence) => _preempted.Add(sequence);

    /// <summary>Adds the rows that are reserved for the sequence.</summary>
    internal void Add(ScheduledSequence sequence)
    {
        int index = SequenceCount++, start = RowCount, first = sequence.ComputedLength, count = sequence.PlannedCount, end = first + count;
        _sequences[index] = sequence;
        _queryStart[index] = start;
        _queryCount[index] = count;
        _kvLength[index] = end;
        _tableSlot[index] = sequence.Kv.TableSlot;
        sequence.Tokens[first..end].CopyTo(_tokens.AsSpan(start));
        for (int i = 0; i < count; i++)
        {
            _positions[start + i] = first + i;
            _rowSequence[start + i] = index;
        }
        RowCount += count;
        if (sequence.IsDecoding) DecodeRows++;
        if (end < sequence.Length) PartialChunks++;
        for (int g = 0; g < _slots.Length; g++)
        {
            _kv.CopySlots(sequence.Kv, g, first, _slots[g].AsSpan(start, count));
            BlockTable table = _kv.Table(sequence.Kv, g);
            for (int entry = table.FirstNew; entry < table.End; entry++) _newEntries[g].Add(new TableEntry(sequence.Kv.TableSlot, entry, table[entry]));
        }
        AddOutputs(sequence, index, start, first, end);
    }

    private void AddOutputs(ScheduledSequence sequence, int index, int start, int first, int end)
    {
        if (sequence.PromptLogprobs)
        {
            // The last prompt row has no prompt token after it.
            for (int position = Math.Max(first, sequence.DeliveredLogprobs); position < Math.Min(end, sequence.PromptLength - 1); position++)
                _outputs[OutputCount++] = new OutputRow(start + position - first, index, OutputKind.Logprobs);
        }
        // Only the row of the last known token continues the text: what precedes it in a recomputed prefix has been sampled already.
        if (end == sequence.Length && sequence.Length < sequence.MaxLength)
            _outputs[OutputCount++] = new OutputRow(start + end - 1 - first, index, OutputKind.Sample);
    }
}
