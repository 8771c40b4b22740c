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
    /// <summary>What files are written through; tests let it fail.</summary>
    public Func<Stream, Stream>? WrapFile { get; set; }

    public int BlockSize => pages.Layout.BlockSize;

    public long BlockBytes => pages.BytesPerBlock;

    public PrefixFingerprint Fingerprint => fingerprint.Value;

    /// <summary>[block] content of a text's first full blocks, as many as are known.</summary>
    /// <exception cref="InferenceException">The device failed, or there is no memory to read into.</exception>
    public Task<byte[][]> ReadAsync(int[] tokens, PrefixKey root) => ExchangeAsync("read", () =>
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
    /// <exception cref="InferenceException">The device failed; the blocks that it had taken until then are known.</exception>
    public Task<int> InsertAsync(int[] tokens, byte[][] contents, PrefixKey root) => ExchangeAsync("written", () =>
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

    /// <summary>What fails on the engine's thread is told as the failure of a step is, whatever the device throws.</summary>
    private Task<T> ExchangeAsync<T>(string done, Func<T> exchange) => loop.InvokeAsync(() =>
    {
        try
        {
            return exchange();
        }
        catch (Exception e)
        {
            throw new InferenceException($"the blocks of the prefix could not be {done}: {e.Message}", e);
        }
    });
}
