namespace Inference.KvCache;

/// <summary>Blocks in the order in which they joined; the first leaves first, but any may leave. Queues over the same links hold different blocks.</summary>
/// <param name="next">[block] the block behind it.</param>
/// <param name="previous">[block] the block before it.</param>
internal sealed class BlockQueue(int[] next, int[] previous)
{
    public const int None = -1;

    /// <summary>Blocks in the queue.</summary>
    public int Count { get; private set; }

    /// <summary>The block that joined first, <see cref="None"/> of an empty queue.</summary>
    public int First { get; private set; } = None;

    /// <summary>The block that joined last.</summary>
    public int Last { get; private set; } = None;

    public void Add(int block)
    {
        next[block] = None;
        previous[block] = Last;
        if (Last == None) First = block;
        else next[Last] = block;
        Last = block;
        Count++;
    }

    public void Remove(int block)
    {
        int before = previous[block], after = next[block];
        if (before == None) First = after;
        else next[before] = after;
        if (after == None) Last = before;
        else previous[after] = before;
        Count--;
    }

    /// <summary>Blocks met on the way from the first on, noted in <paramref name="seen"/>; stops at one that was seen before.</summary>
    internal int Walk(bool[] seen, out int last)
    {
        int count = 0;
        last = None;
        for (int block = First; block != None && !seen[block]; block = next[block])
        {
            seen[block] = true;
            count++;
            last = block;
        }
        return count;
    }
}
