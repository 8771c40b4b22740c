using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace Inference.Kernels;

/// <summary>How attention cuts a step into work: known once a model's attention shape is.</summary>
/// <param name="TileRows">Rows of one sequence that a group takes.</param>
/// <param name="Slots">Partial results that there is room for.</param>
internal readonly record struct WorkPlan(int TileRows, int Slots);

/// <summary>
/// A batch on the device. All small arrays of a step lie behind one another in one staging buffer and travel in one copy, changes of the
/// block tables among them; a kernel enters those into the tables, which stay on the device.
/// </summary>
internal sealed class DeviceBatch : IDisposable
{
    private const int MaxChanges = 4096;
    private readonly Accelerator accelerator;
    private readonly StepCapacity capacity;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> tables, identity;
    private PageLockedArray1D<int> staging;
    private MemoryBuffer1D<int, Stride1D.Dense> device;
    private bool pending;

    public DeviceBatch(Accelerator accelerator, StepCapacity capacity)
    {
        (this.accelerator, this.capacity) = (accelerator, capacity);
        tables = accelerator.Allocate1D<int>((long)capacity.Sequences * capacity.BlocksPerSequence);
        tables.MemSetToZero();
        int[] rows = [.. Enumerable.Range(0, capacity.Rows)];
        identity = accelerator.Allocate1D(rows);
        (staging, device) = Allocate(default);
    }

    /// <summary>[row] token id, position, slot, row of Tables.</summary>
    public ArrayView<int> Tokens { get; private set; }
    public ArrayView<int> Positions { get; private set; }
    public ArrayView<int> Slots { get; private set; }
    public ArrayView<int> RowTables { get; private set; }

    /// <summary>[output] row.</summary>
    public ArrayView<int> OutputRows { get; private set; }

    /// <summary>[row] the row itself: the map of operations over all rows.</summary>
    public ArrayView<int> Identity => identity.View;

    /// <summary>[row][ropeDims / 2][2]</summary>
    public ArrayView<float> Rope { get; private set; }

    /// <summary>[table slot][blocks]</summary>
    public ArrayView<int> Tables => tables.View;

    public ArrayView<TableChange> Changes { get; private set; }
    public int ChangeCount { get; private set; }

    /// <summary>The plan that Work and Merge were made for.</summary>
    public WorkPlan Plan { get; private set; }

    public ArrayView<AttentionWork> Work { get; private set; }
    public int WorkCount { get; private set; }

    /// <summary>The most rows in one piece of work.</summary>
    public int WorkRows { get; private set; }

    public ArrayView<MergeWork> Merge { get; private set; }
    public int MergeCount { get; private set; }

    /// <summary>Makes room for the work of a plan; Upload must follow.</summary>
    public void SetPlan(WorkPlan plan)
    {
        Wait();
        staging.Dispose();
        device.Dispose();
        (staging, device) = Allocate(plan);
        Plan = plan;
    }

    /// <summary>The device has run everything, so that the staging buffer is free.</summary>
    public void Synchronized() => pending = false;

    /// <summary>Packs the step's arrays and starts their copy.</summary>
    public void Upload(StepBatch batch, AcceleratorStream stream)
    {
        Wait();
        Span<int> host = staging.Span;
        int rows = batch.RowCount, at = 0;
        (int tokens, int positions, int slots, int rowTables) = (Put(host, ref at, batch.Tokens, rows), Put(host, ref at, batch.Positions, rows), Put(host, ref at, batch.Slots, rows), at);
        for (int r = 0; r < rows; r++) host[at++] = batch.TableSlot[batch.RowSequence[r]];
        Align(ref at);
        int outputs = Put(host, ref at, batch.OutputRows, batch.OutputCount);
        int rope = Put(host, ref at, MemoryMarshal.Cast<float, int>(batch.Rope.AsSpan()), rows * capacity.RopeDims), changes = at;
        ChangeCount = PutChanges(batch, host, ref at, stream);
        Align(ref at);
        int work = at;
        PutWork(batch, MemoryMarshal.Cast<int, AttentionWork>(host[at..]));
        at += WorkCount * 4;
        int merge = at;
        PutMerge(batch, MemoryMarshal.Cast<int, MergeWork>(host[at..]));
        at += MergeCount * 4;

        ArrayView<int> view = device.View;
        if (at > 0) view.SubView(0, at).CopyFromCPUUnsafeAsync(stream, ref host[0], at);
        pending = true;
        (Tokens, Positions, Slots, RowTables, OutputRows) = (view.SubView(tokens, rows), view.SubView(positions, rows), view.SubView(slots, rows), view.SubView(rowTables, rows), view.SubView(outputs, batch.OutputCount));
        Rope = view.SubView(rope, rows * capacity.RopeDims).Cast<float>();
        Changes = view.SubView(changes, ChangeCount * 2).Cast<TableChange>();
        Work = view.SubView(work, WorkCount * 4).Cast<AttentionWork>();
        Merge = view.SubView(merge, MergeCount * 4).Cast<MergeWork>();
    }

    private (PageLockedArray1D<int>, MemoryBuffer1D<int, Stride1D.Dense>) Allocate(WorkPlan plan)
    {
        // Five arrays of rows, cosines and sines, changes, work (a tile is a row at least) and merges, each rounded up to 16 bytes.
        int length = checked(capacity.Rows * (5 + capacity.RopeDims + 8) + MaxChanges * 2 + plan.Slots * 4 + 64);
        return (accelerator.AllocatePageLocked1D<int>(length), accelerator.Allocate1D<int>(length));
    }

    /// <summary>An unread copy of the last step still needs the staging buffer.</summary>
    private void Wait()
    {
        if (pending) accelerator.Synchronize();
        pending = false;
    }

    private static int Put(Span<int> host, ref int at, ReadOnlySpan<int> values, int count)
    {
        int start = at;
        values[..count].CopyTo(host[at..]);
        at += count;
        Align(ref at);
        return start;
    }

    /// <summary>Views of 16-byte structs must start at a multiple of 16 bytes.</summary>
    private static void Align(ref int at) => at = at + 3 & ~3;

    /// <summary>Lists the changed table entries; where there are too many, the whole tables are copied.</summary>
    private int PutChanges(StepBatch batch, Span<int> host, ref int at, AcceleratorStream stream)
    {
        int count = 0;
        foreach ((int first, int end) in batch.DirtyEntries) count += end - first;
        if (count > MaxChanges)
        {
            Tables.CopyFromCPU(stream, batch.BlockTables);
            count = 0;
        }
        else
        {
            for (int slot = 0; slot < batch.DirtyEntries.Length; slot++)
                for (int i = batch.DirtyEntries[slot].First; i < batch.DirtyEntries[slot].End; i++)
                {
                    int index = slot * capacity.BlocksPerSequence + i;
                    host[at++] = index;
                    host[at++] = batch.BlockTables[index];
                }
        }
        Array.Clear(batch.DirtyEntries);
        return count;
    }

    /// <summary>Cuts sequences into tiles of rows. A sequence of one tile, as in decoding, is cut into partitions too, while there are slots.</summary>
    private void PutWork(StepBatch batch, Span<AttentionWork> work)
    {
        (WorkCount, WorkRows) = (0, 0);
        if (Plan.TileRows == 0) return;
        int slots = 0;
        for (int s = 0; s < batch.SequenceCount; s++)
            for (int first = 0; first < batch.QueryCount[s]; first += Plan.TileRows)
            {
                int row = batch.QueryStart[s] + first, rows = Math.Min(Plan.TileRows, batch.QueryCount[s] - first), partitions = Partitions(batch, row + rows - 1);
                WorkRows = Math.Max(WorkRows, rows);
                if (Splits(batch, s, partitions, slots))
                {
                    for (int p = 0; p < partitions; p++) work[WorkCount++] = new() { Row = row, Rows = rows, Partition = p, Slot = slots++ };
                }
                else
                {
                    work[WorkCount++] = new() { Row = row, Rows = rows, Partition = -1 };
                }
            }
    }

    /// <summary>The rows of the sequences that <see cref="PutWork"/> cut into partitions, in the same order.</summary>
    private void PutMerge(StepBatch batch, Span<MergeWork> merge)
    {
        MergeCount = 0;
        if (Plan.TileRows == 0) return;
        int slots = 0;
        for (int s = 0; s < batch.SequenceCount; s++)
        {
            int row = batch.QueryStart[s], rows = batch.QueryCount[s], partitions = Partitions(batch, row + rows - 1);
            if (!Splits(batch, s, partitions, slots)) continue;
            for (int r = 0; r < rows; r++) merge[MergeCount++] = new() { Row = row + r, TileRow = r, Slot = slots, Partitions = Partitions(batch, row + r) };
            slots += partitions;
        }
    }

    private bool Splits(StepBatch batch, int sequence, int partitions, int slots) => batch.QueryCount[sequence] <= Plan.TileRows && partitions > 1 && slots + partitions <= Plan.Slots;

    private static int Partitions(StepBatch batch, int row) => batch.Positions[row] / Attention.Partition + 1;

    public void Dispose()
    {
        tables.Dispose();
        identity.Dispose();
        staging.Dispose();
        device.Dispose();
    }
}
