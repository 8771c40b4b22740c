namespace Inference.KvCache;

/// <summary>Blocks of a prefix that belong to no sequence: to be written to a file, or read from one.</summary>
internal sealed partial class KvAllocator
{
    /// <summary>Blocks of a group that hold the beginning of a text, as many as are known one after the other; they stay what they are until the next reservation.</summary>
    /// <param name="sequence">Its root says whose blocks count; it needs no slot.</param>
    /// <param name="tokens">The text.</param>
    /// <param name="group">A group that keeps everything.</param>
    /// <param name="blocks">Room for the text's full blocks.</param>
    public int CopyPrefix(KvSequence sequence, ReadOnlySpan<int> tokens, int group, Span<int> blocks)
    {
        int count = 0, full = tokens.Length / _groups[group].BlockSize;
        while (count < full && _pools[group].Index.TryFind(Key(sequence, tokens, count, group), out blocks[count])) count++;
        return count;
    }

    /// <summary>
    /// Takes blocks for the beginning of a text, as far as there are any, and makes them known. Those that are new must be filled before the next step, and all be given back with <see cref="ReleasePrefix"/>.
    /// </summary>
    /// <param name="sequence">Its root says who finds them; it needs no slot.</param>
    /// <param name="tokens">The text.</param>
    /// <param name="group">A group that keeps everything.</param>
    /// <param name="blocks">Room for the text's full blocks.</param>
    /// <param name="isNew">[block] whether it holds nothing yet.</param>
    /// <returns>Blocks taken.</returns>
    public int InsertPrefix(KvSequence sequence, ReadOnlySpan<int> tokens, int group, Span<int> blocks, Span<bool> isNew)
    {
        BlockPool pool = _pools[group];
        int count = 0, full = tokens.Length / _groups[group].BlockSize;
        for (; count < full; count++)
        {
            PrefixKey key = Key(sequence, tokens, count, group);
            isNew[count] = !pool.Index.TryFind(key, out blocks[count]);
            if (!isNew[count])
            {
                pool.Share(blocks[count]);
                continue;
            }
            if (pool.Available == 0) break;
            blocks[count] = pool.Take();
            pool.Index.Add(key, blocks[count]);
        }
        return count;
    }

    /// <summary>Lets go of what <see cref="InsertPrefix"/> took, the last first; blocks that could not be filled are forgotten.</summary>
    public void ReleasePrefix(int group, ReadOnlySpan<int> blocks, ReadOnlySpan<bool> isUnfilled)
    {
        for (int i = blocks.Length - 1; i >= 0; i--)
        {
            if (isUnfilled[i]) _pools[group].Forget(blocks[i]);
            _pools[group].Return(blocks[i]);
        }
    }
}
