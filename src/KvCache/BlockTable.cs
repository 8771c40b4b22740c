namespace Inference.KvCache;

/// <summary>
/// The physical blocks of one sequence in one cache group. Entry i covers positions i * block size onwards; indices are absolute and do not
/// move when blocks are dropped at the front. Room for the longest sequence is made once.
/// </summary>
internal sealed class BlockTable(int capacity)
{
    private readonly int[] _blocks = new int[capacity];

    /// <summary>Index of the first entry that is kept.</summary>
    public int First { get; private set; }

    /// <summary>Index after the last entry.</summary>
    public int End { get; private set; }

    /// <summary>Entries from here to <see cref="End"/> are new or changed since the last commit: a device copy of the table lacks them.</summary>
    public int FirstNew { get; private set; }

    /// <summary>Block of entry <paramref name="index"/>, which lies in <see cref="First"/>..<see cref="End"/>-1.</summary>
    public int this[int index] =>
        index >= First && index < End ? _blocks[index] : throw new ArgumentOutOfRangeException(nameof(index), index, $"The table holds entries {First} to {End - 1}.");

    internal void Append(int block) => _blocks[End++] = block;

    /// <summary>Puts another block in place of an entry and returns the one that was there.</summary>
    internal int Replace(int index, int block)
    {
        int before = this[index];
        _blocks[index] = block;
        FirstNew = Math.Min(FirstNew, index);
        return before;
    }

    /// <summary>The empty table begins with that entry.</summary>
    internal void StartAt(int first) => First = End = FirstNew = first;

    /// <summary>Removes the first entry and returns its block.</summary>
    internal int DropFront()
    {
        int block = this[First];
        First++;
        FirstNew = Math.Max(FirstNew, First);
        return block;
    }

    /// <summary>Removes the last entry and returns its block.</summary>
    internal int DropBack()
    {
        int block = this[End - 1];
        End--;
        FirstNew = Math.Min(FirstNew, End);
        return block;
    }

    /// <summary>Every entry is known to the device from now on.</summary>
    internal void MarkKnown() => FirstNew = End;

    /// <summary>Starts over as an empty table; the caller has returned the blocks.</summary>
    internal void Reset() => First = End = FirstNew = 0;
}
