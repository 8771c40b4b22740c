namespace Inference.KvCache;

/// <summary>
/// Which of a sequence's cached positions later queries still read. The allocator asks nothing else of a kind, so a new one
/// (a sliding window, say) is a new subclass.
/// </summary>
internal abstract record CacheKind
{
    /// <summary>Causal attention over everything: no position is ever given up.</summary>
    public static CacheKind Full { get; } = new FullCache();

    /// <summary>
    /// First position that a query at position <paramref name="length"/> or later reads; blocks wholly before it are freed at the next commit.
    /// It never decreases with <paramref name="length"/>, lies in 0..length and is 0 for 0.
    /// </summary>
    public abstract int FirstPositionRead(int length);

    private sealed record FullCache : CacheKind
    {
        public override int FirstPositionRead(int length) => 0;
    }
}
