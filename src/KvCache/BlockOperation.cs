namespace Inference.KvCache;

/// <summary>What is done to the content of a block.</summary>
internal enum BlockOperationKind
{
    /// <summary>From one block of the device to another.</summary>
    Copy,

    /// <summary>From a block of the device to one of the host's swap space.</summary>
    SwapOut,

    /// <summary>From a block of the host's swap space to one of the device.</summary>
    SwapIn,
}

/// <summary>
/// A block to be moved before the next step writes anything. Operations are done in the order in which they were listed: a block that one reads may be what the next one overwrites.
/// </summary>
internal readonly record struct BlockOperation(BlockOperationKind Kind, int From, int To);
