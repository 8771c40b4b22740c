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
}
