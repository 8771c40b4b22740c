using Inference.Kernels;

namespace Inference;

/// <summary>How many KV blocks an engine gets.</summary>
internal static class KvSizing
{
    private const int DefaultContext = 8192, DefaultSequences = 4;

    /// <summary>
    /// Blocks as asked for, or room for min(context, 8,192) tokens of 4 sequences in at most a quarter of the available memory.
    /// </summary>
    /// <exception cref="InferenceException">Not one block fits.</exception>
    public static int Blocks(EngineOptions options, KvLayout layout, int context)
    {
        long blocks;
        if (options.KvBlocks is { } asked) blocks = asked;
        else if (options.KvMemoryBytes is { } bytes)
        {
            blocks = bytes / layout.BytesPerBlock;
            if (blocks < 1) throw new InferenceException($"KV memory of {bytes} bytes holds no block: a block of {layout.BlockSize} tokens takes {layout.BytesPerBlock} bytes");
        }
        else
        {
            long perSequence = (Math.Min(context, DefaultContext) + layout.BlockSize - 1) / layout.BlockSize;
            long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;
            blocks = Math.Max(1, Math.Min(perSequence * DefaultSequences, available / layout.BytesPerBlock));
        }
        long most = int.MaxValue / layout.BlockSize; // a slot is an int
        return (int)Math.Min(blocks, most);
    }

    /// <summary>
    /// Blocks of the swap space: as asked for, or as many as the pool has, in at most an eighth of the available memory. Nothing is allocated before a block is used, and one pool is enough: what runs fits
    /// the other one.
    /// </summary>
    public static int SwapBlocks(EngineOptions options, long bytesPerBlock, int blocks)
    {
        long bytes = options.SwapMemoryBytes ?? Math.Min(blocks * bytesPerBlock, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8);
        return (int)Math.Min(bytes / bytesPerBlock, int.MaxValue);
    }

    /// <summary>
    /// Time to move a token's keys and values out and in again, in units of the time to compute a token: 2 * bytes over what the device can move, against 2 operations a parameter
    /// over what it can compute. The quotient of both rates is about 20 operations a byte on a processor (100 Gflop/s, 5 GB/s) and 2,000 on a GPU (50 Tflop/s, 25 GB/s).
    /// </summary>
    public static double SwapCost(bool onHost, long bytesPerToken, long parameters) => (double)bytesPerToken * (onHost ? 20 : 2000) / Math.Max(1, parameters);
}
