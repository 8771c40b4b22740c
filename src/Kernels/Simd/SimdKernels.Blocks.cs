namespace Inference.Kernels;

/// <summary>Blocks as bytes: a block of one layer lies in one piece.</summary>
internal sealed unsafe partial class SimdKernels
{
    public override void CopyBlock(KvPages pages, int from, int to)
    {
        var tiles = (TiledPages)pages;
        for (int layer = 0; layer < tiles.Layout.Layers; layer++) tiles.Block(layer, from).CopyTo(tiles.Block(layer, to));
    }

    public override void ReadBlock(KvPages pages, int block, Span<byte> bytes)
    {
        var tiles = (TiledPages)pages;
        int size = checked((int)tiles.BlockBytes);
        for (int layer = 0; layer < tiles.Layout.Layers; layer++) tiles.Block(layer, block).CopyTo(bytes.Slice(layer * size, size));
    }

    public override void WriteBlock(KvPages pages, int block, ReadOnlySpan<byte> bytes)
    {
        var tiles = (TiledPages)pages;
        int size = checked((int)tiles.BlockBytes);
        for (int layer = 0; layer < tiles.Layout.Layers; layer++) bytes.Slice(layer * size, size).CopyTo(tiles.Block(layer, block));
    }
}
