namespace Inference.KvCache;

internal sealed partial class KvAllocator
{
    /// <summary>Checks every invariant; tests call it after every operation.</summary>
    /// <exception cref="KvInvariantException">One does not hold.</exception>
    internal void Verify()
    {
        VerifySlots();
        VerifySwapped();
        for (int g = 0; g < _groups.Length; g++)
        {
            var listed = new int[_pools[g].Total];
            foreach (KvSequence? sequence in _admitted)
                if (sequence is not null) VerifyTable(sequence, g, listed);
            _pools[g].Verify(listed, g);
            foreach (KvSequence? sequence in _admitted)
                if (sequence is not null) VerifyWritable(sequence, g);
        }
    }

    private void VerifySlots()
    {
        var free = new bool[MaxSequences];
        foreach (int slot in _freeSlots)
        {
            KvInvariantException.Require(8, !free[slot], $"slot {slot} is free twice");
            free[slot] = true;
        }
        for (int slot = 0; slot < MaxSequences; slot++)
        {
            KvSequence? sequence = _admitted[slot];
            KvInvariantException.Require(8, free[slot] == (sequence is null), $"slot {slot} is {(free[slot] ? "free and held" : "neither free nor held")}");
            if (sequence is not null)
            {
                KvInvariantException.Require(8, sequence.TableSlot == slot, $"sequence {sequence.Id} holds slot {slot} and knows slot {sequence.TableSlot}");
                KvInvariantException.Require(1, sequence.Committed >= 0 && sequence.Committed <= sequence.Reserved && sequence.Reserved <= MaxLength,
                    $"sequence {sequence.Id} has {sequence.Committed} tokens committed and {sequence.Reserved} reserved of at most {MaxLength}");
            }
            else
            {
                foreach (BlockTable[] tables in _tables)
                    KvInvariantException.Require(8, tables[slot] is { First: 0, End: 0, FirstNew: 0 }, $"the table of free slot {slot} is not empty");
            }
        }
    }

    private void VerifyTable(KvSequence sequence, int g, int[] listed)
    {
        BlockTable table = _tables[g][sequence.TableSlot];
        CacheGroup group = _groups[g];
        int first = group.Kind.FirstPositionRead(sequence.Committed) / group.BlockSize;
        KvInvariantException.Require(2, table.End == group.BlocksFor(sequence.Reserved),
            $"group {g}: the table of sequence {sequence.Id} ends at {table.End} with {sequence.Reserved} tokens reserved");
        KvInvariantException.Require(3, table.First == first, $"group {g}: the table of sequence {sequence.Id} starts at {table.First}, reading at {first}");
        KvInvariantException.Require(4, table.First <= table.FirstNew && table.FirstNew <= group.BlocksFor(sequence.Committed),
            $"group {g}: new entries of sequence {sequence.Id} start at {table.FirstNew} with {sequence.Committed} tokens committed");
        for (int index = table.First; index < table.End; index++)
        {
            int block = table[index];
            KvInvariantException.Require(4, block >= 0 && block < listed.Length, $"group {g}: entry {index} of sequence {sequence.Id} names block {block} of {listed.Length}");
            listed[block]++;
            PrefixIndex known = _pools[g].Index;
            if (index < sequence.Committed / group.BlockSize && known.Contains(block))
                KvInvariantException.Require(10, sequence.Chains is not { } chains || chains[g].Count <= index || chains[g][index] == known.Key(block),
                    $"group {g}: entry {index} of sequence {sequence.Id} is block {block}, which holds something else");
        }
    }

    private void VerifyWritable(KvSequence sequence, int g)
    {
        BlockTable table = _tables[g][sequence.TableSlot];
        int size = _groups[g].BlockSize;
        if (sequence.Reserved == sequence.Committed) return;
        for (int index = sequence.Committed / size; index < table.End; index++)
            KvInvariantException.Require(7, _pools[g].References(table[index]) == 1, $"group {g}: sequence {sequence.Id} writes into shared block {table[index]}");
        for (int index = sequence.Committed / size; index < table.End; index++)
            KvInvariantException.Require(7, !_pools[g].Index.Contains(table[index]), $"group {g}: sequence {sequence.Id} writes into block {table[index]}, which has a key");
    }
}
