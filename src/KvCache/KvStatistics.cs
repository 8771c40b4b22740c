namespace Inference.KvCache;

/// <summary>Blocks of one cache group, or of all groups together.</summary>
/// <param name="Total">All blocks.</param>
/// <param name="Free">Blocks in no table.</param>
/// <param name="Evictable">Blocks in tables of idle sequences only.</param>
/// <param name="PeakUsed">Most blocks in use at any time so far; over groups the sum of their peaks.</param>
internal readonly record struct KvStatistics(int Total, int Free, int Evictable, int PeakUsed)
{
    public int Used => Total - Free;
}
