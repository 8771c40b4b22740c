namespace Inference.KvCache.Tests;

/// <summary>A sliding window: a query reads itself and the window - 1 positions before it. Shows that a kind needs nothing of the allocator.</summary>
internal sealed record WindowCache(int Window) : CacheKind
{
    public override int FirstPositionRead(int length) => Math.Max(0, length - Window + 1);
}
