using Inference.Kernels;
using Inference.KvCache;

namespace Inference;

/// <summary>Takes computed blocks out of the cache, and puts saved ones in, between two steps.</summary>
/// <param name="loop">The engine's thread.</param>
/// <param name="allocator">Its blocks; one group that keeps everything.</param>
/// <param name="kernels">The device.</param>
/// <param name="pages">Where the blocks are.</param>
/// <param name="fingerprint">What their content depends on; made when it is needed first.</param>
internal sealed class PrefixStore(EngineLoop loop, KvAllocator allocator, KernelSet kernels, KvPages pages, Lazy<PrefixFingerprint> fingerprint)
{
    public int BlockSize => pages.Layout.BlockSize;

    public long BlockBytes => pages.BytesPerBlock;

    public PrefixFingerprint Fingerprint => fingerprint.Value;

    /// <summary>[block] content of a text's first full blocks, as many as are known.</summary>
    public Task<byte[][]> ReadAsync(int[] tokens, PrefixKey root) => loop.InvokeAsync(() =>
    {
        var blocks = new int[tokens.Length / BlockSize];
        int count = allocator.CopyPrefix(new KvSequence(0, root), tokens, 0, blocks);
        var contents = new byte[count][];
        for (int i = 0; i < count; i++)
        {
            contents[i] = GC.AllocateUninitializedArray<byte>(checked((int)BlockBytes));
            kernels.ReadBlock(pages, blocks[i], contents[i]);
        }
        return contents;
    });

    /// <summary>Makes saved blocks known, as many as there is room for; returns how many.</summary>
    public Task<int> InsertAsync(int[] tokens, byte[][] contents, PrefixKey root) => loop.InvokeAsync(() =>
    {
        var blocks = new int[contents.Length];
        var unfilled = new bool[contents.Length];
        int count = allocator.InsertPrefix(new KvSequence(0, root), tokens, 0, blocks, unfilled);
        try
        {
            for (int i = 0; i < count; i++)
            {
                if (!unfilled[i]) continue;
                kernels.WriteBlock(pages, blocks[i], contents[i]);
                unfilled[i] = false;
            }
        }
        finally
        {
            allocator.ReleasePrefix(0, blocks.AsSpan(0, count), unfilled.AsSpan(0, count));
        }
        return count;
    });
}
