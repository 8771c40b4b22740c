namespace Inference.Kernels;

/// <summary>Capacities that a step's arrays are allocated for, once.</summary>
/// <param name="Rows">Token rows of a step.</param>
/// <param name="Sequences">Sequences of a step, and sequence slots of the block table.</param>
/// <param name="BlocksPerSequence">Entries of a block table row.</param>
/// <param name="RopeDims">Rotated dims of a head.</param>
internal sealed record StepCapacity(int Rows, int Sequences, int BlocksPerSequence, int RopeDims);

/// <summary>
/// One ragged step as every operation sees it. Rows are tokens: the rows of sequence i are <c>QueryStart[i] .. QueryStart[i] + QueryCount[i] - 1</c>,
/// in order of position. Index, position and slot of a row are three different numbers. The arrays are filled on the host and handed over
/// by <see cref="KernelSet.Upload"/>; a kernel set keeps its device copy in <see cref="DeviceState"/>.
/// </summary>
internal sealed class StepBatch(StepCapacity capacity)
{
    public StepCapacity Capacity { get; } = capacity;

    /// <summary>Token rows in use.</summary>
    public int RowCount { get; set; }

    /// <summary>[row] token id.</summary>
    public int[] Tokens { get; } = new int[capacity.Rows];

    /// <summary>[row] position in its sequence, from 0.</summary>
    public int[] Positions { get; } = new int[capacity.Rows];

    /// <summary>[row] where K and V of this row go: block * block size + offset.</summary>
    public int[] Slots { get; } = new int[capacity.Rows];

    /// <summary>[row] index of the row's sequence in this step.</summary>
    public int[] RowSequence { get; } = new int[capacity.Rows];

    /// <summary>[row][RopeDims / 2][2] cosine and sine of position * frequency: computed once a step on the host, so equal on every device.</summary>
    public float[] Rope { get; } = new float[capacity.Rows * capacity.RopeDims];

    /// <summary>Sequences in use.</summary>
    public int SequenceCount { get; set; }

    /// <summary>[sequence] first row.</summary>
    public int[] QueryStart { get; } = new int[capacity.Sequences];

    /// <summary>[sequence] rows, at least 1.</summary>
    public int[] QueryCount { get; } = new int[capacity.Sequences];

    /// <summary>[sequence] tokens in the cache once this step's rows are written: position of its last row + 1.</summary>
    public int[] KvLength { get; } = new int[capacity.Sequences];

    /// <summary>[sequence] row of <see cref="BlockTables"/> that belongs to it; fixed while the sequence runs.</summary>
    public int[] TableSlot { get; } = new int[capacity.Sequences];

    /// <summary>[table slot][BlocksPerSequence] physical block of each run of block-size positions.</summary>
    public int[] BlockTables { get; } = new int[capacity.Sequences * capacity.BlocksPerSequence];

    /// <summary>[table slot] entries of the row that changed since the last upload, as first and end index; reset by <see cref="KernelSet.Upload"/>.</summary>
    public (int First, int End)[] DirtyEntries { get; } = new (int, int)[capacity.Sequences];

    /// <summary>Rows whose logits are wanted, in use.</summary>
    public int OutputCount { get; set; }

    /// <summary>[output] row index, ascending.</summary>
    public int[] OutputRows { get; } = new int[capacity.Rows];

    /// <summary>The kernel set's device copy of this batch.</summary>
    public object? DeviceState { get; set; }

    /// <summary>Writes an entry of a block table and notes that the device must hear of it.</summary>
    public void SetBlock(int tableSlot, int index, int block)
    {
        BlockTables[tableSlot * Capacity.BlocksPerSequence + index] = block;
        ref (int First, int End) dirty = ref DirtyEntries[tableSlot];
        dirty = dirty.First == dirty.End ? (index, index + 1) : (Math.Min(dirty.First, index), Math.Max(dirty.End, index + 1));
    }
}
