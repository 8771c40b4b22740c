namespace Inference.KvCache;

/// <summary>
/// The blocks of one group by what they hold. A block's key stands for its tokens and everything before them (<see cref="PrefixChain"/>), so a block
/// that is found is right at that place of any sequence with the key.
/// </summary>
internal sealed class PrefixIndex(int blocks)
{
    private readonly Dictionary<PrefixKey, int> _blocks = new(blocks);
    private readonly PrefixKey[] _keys = new PrefixKey[blocks];
    private readonly bool[] _known = new bool[blocks];

    /// <summary>Blocks with a key.</summary>
    public int Count => _blocks.Count;

    /// <summary>Whether the block has a key.</summary>
    public bool Contains(int block) => _known[block];

    public bool TryFind(PrefixKey key, out int block) => _blocks.TryGetValue(key, out block);

    /// <summary>Gives a block its key. Where another one has it already nothing changes: one copy is enough to be found.</summary>
    public void Add(PrefixKey key, int block)
    {
        if (_known[block]) throw new InvalidOperationException($"Block {block} has a key.");
        if (!_blocks.TryAdd(key, block)) return;
        _keys[block] = key;
        _known[block] = true;
    }

    /// <summary>The block is found no more; one without a key stays as it is.</summary>
    public void Remove(int block)
    {
        if (!_known[block]) return;
        _blocks.Remove(_keys[block]);
        _known[block] = false;
    }

    /// <summary>Key of a block that has one.</summary>
    internal PrefixKey Key(int block) => _keys[block];

    /// <summary>Checks invariant 9 of <see cref="KvAllocator"/>.</summary>
    internal void Verify(int group)
    {
        int known = 0;
        for (int block = 0; block < _known.Length; block++)
        {
            if (!_known[block]) continue;
            known++;
            KvInvariantException.Require(9, _blocks.TryGetValue(_keys[block], out int found) && found == block, $"group {group}: the key of block {block} does not lead to it");
        }
        KvInvariantException.Require(9, known == _blocks.Count, $"group {group}: {known} blocks have keys, and the index has {_blocks.Count}");
    }
}
