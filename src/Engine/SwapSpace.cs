namespace Inference;

/// <summary>Host memory for the KV blocks of sequences that were moved out. A block's memory is allocated when it is used first, and kept.</summary>
/// <param name="blocks">Blocks at most.</param>
/// <param name="blockBytes">Bytes of a block of all layers.</param>
internal sealed class SwapSpace(int blocks, long blockBytes)
{
    private readonly byte[]?[] memory = new byte[]?[blocks];

    /// <summary>Bytes of a block.</summary>
    /// <exception cref="OutOfMemoryException">It is used for the first time, and the system has no memory for it.</exception>
    public Span<byte> this[int block] => memory[block] ??= GC.AllocateUninitializedArray<byte>(checked((int)blockBytes), pinned: true);
}
