namespace Inference.KvCache.Tests;

/// <summary>The oracle of one group's blocks, as objects: keys are the texts themselves, the queue of cached blocks is a list.</summary>
internal sealed class ModelPool(int total)
{
    public sealed class Block
    {
        public int References;
        public string? Key;
    }

    private readonly Dictionary<string, Block> _index = [];
    private readonly List<Block> _cached = [];
    private int _peak;

    public int Free { get; private set; } = total;
    public int Total { get; } = total;
    public long Evictions { get; private set; }
    public int Available => Free + _cached.Count;

    public Block? Find(string key) => _index.GetValueOrDefault(key);

    public Block Take()
    {
        if (Free > 0)
        {
            Free--;
        }
        else
        {
            Forget(_cached[0]);
            Free--;
            Evictions++;
        }
        var block = new Block { References = 1 };
        CountUse();
        return block;
    }

    public Block Share(Block block)
    {
        if (block.References++ == 0) _cached.Remove(block);
        CountUse();
        return block;
    }

    public void Return(Block block)
    {
        if (--block.References > 0) return;
        if (block.Key is null) Free++;
        else _cached.Add(block);
    }

    public void Name(Block block, string key)
    {
        if (_index.TryAdd(key, block)) block.Key = key;
    }

    public void Forget(Block block)
    {
        if (block.Key is null) return;
        _index.Remove(block.Key);
        block.Key = null;
        if (_cached.Remove(block)) Free++;
    }

    public KvStatistics Statistics => new(Total, Free, _cached.Count, _peak);

    private void CountUse() => _peak = Math.Max(_peak, Total - Available);
}
