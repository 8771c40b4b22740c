namespace Inference.KvCache;

/// <summary>Blocks of one cache group, or of all groups together.</summary>
/// <param name="Total">All blocks.</param>
/// <param name="Free">Blocks in no table with nothing in them that anybody could use.</param>
/// <param name="Cached">Blocks in no table whose content is kept for who can use it, until the block is needed.</param>
/// <param name="PeakUsed">Most blocks in use at any time so far; over groups the sum of their peaks.</param>
internal readonly record struct KvStatistics(int Total, int Free, int Cached, int PeakUsed)
{
    /// <summary>Blocks in tables.</summary>
    public int Used => Total - Free - Cached;
}
