using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// Pages of the host: [layer][block][kv head][tile of 16 tokens] { K [keyDim][16], V [16][valueDim] } in one buffer. K lies transposed, so that a
/// vector holds one dim of 16 tokens and scores need no sum across lanes. Tiles of float types start on a cache line; the tiles of a head in a block are
/// consecutive. Quantised planes (<see cref="QuantizedPage{TElement}"/>) have their scales first.
/// </summary>
internal sealed unsafe class TiledPages : KvPages
{
    /// <summary>Tokens of a tile.</summary>
    public const int TileTokens = 16;

    /// <summary>A token touches every layer's part of a pool. In a small one, clearing huge pages for it costs a tenth of the time to a small model's first token.</summary>
    private const long SmallestForHugePages = 64 << 20;

    private readonly NativeBuffer buffer;

    /// <exception cref="ArgumentException">A dim or the block size is not a multiple of 16 in its range.</exception>
    public TiledPages(KvLayout layout, int blocks) : base(layout, blocks)
    {
        CheckMultiple(layout.KeyDim, int.MaxValue, nameof(layout.KeyDim));
        CheckMultiple(layout.ValueDim, int.MaxValue, nameof(layout.ValueDim));
        CheckMultiple(layout.BlockSize, 256, nameof(layout.BlockSize));
        KeyTileBytes = (long)layout.KeyBytes * TileTokens;
        TileBytes = KeyTileBytes + (long)layout.ValueBytes * TileTokens;
        HeadBytes = TileBytes * (layout.BlockSize / TileTokens);
        BlockBytes = HeadBytes * layout.KvHeads;
        buffer = new NativeBuffer(checked(BlockBytes * blocks * layout.Layers), clear: false, hugePageFrom: SmallestForHugePages);
    }

    /// <summary>Bytes of the K part of a tile; V follows.</summary>
    public long KeyTileBytes { get; }

    /// <summary>Bytes from tile to tile.</summary>
    public long TileBytes { get; }

    /// <summary>Bytes from head to head of a block.</summary>
    public long HeadBytes { get; }

    /// <summary>Bytes from block to block of a layer.</summary>
    public long BlockBytes { get; }

    public override long BytesPerBlock => BlockBytes * Layout.Layers;

    /// <summary>A block in one layer.</summary>
    public Span<byte> Block(int layer, int block)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)block, (uint)Blocks, nameof(block));
        return new Span<byte>(Layer(layer) + block * BlockBytes, checked((int)BlockBytes));
    }

    /// <summary>First byte of a layer's blocks.</summary>
    public byte* Layer(int layer)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)layer, (uint)Layout.Layers, nameof(layer));
        return buffer.Pointer + layer * (BlockBytes * Blocks);
    }

    public override void FillWithNaN() => NativeMemory.Fill(buffer.Pointer, (nuint)buffer.Bytes, 0xff);

    public override void Dispose() => buffer.Dispose();

    private static void CheckMultiple(int value, int most, string name)
    {
        if (value < 16 || value > most || value % 16 != 0)
            throw new ArgumentException($"KvLayout.{name}: expected a multiple of 16 from 16{(most < int.MaxValue ? " to " + most : "")}, found {value}", name);
    }
}
