namespace Inference.Scheduling;

/// <summary>Sequences by rank, the first to be served at 0. Ranks are fixed and no two are equal, so a place is found by bisection.</summary>
internal sealed class RankedList
{
    private readonly List<ScheduledSequence> _items = [];

    public int Count => _items.Count;

    public ScheduledSequence this[int index] => _items[index];

    public ScheduledSequence Last => _items[^1];

    public void Add(ScheduledSequence sequence) => _items.Insert(~_items.BinarySearch(sequence, ByRank.Instance), sequence);

    public bool Remove(ScheduledSequence sequence)
    {
        int index = _items.BinarySearch(sequence, ByRank.Instance);
        if (index < 0) return false;
        _items.RemoveAt(index);
        return true;
    }

    private sealed class ByRank : IComparer<ScheduledSequence>
    {
        public static readonly ByRank Instance = new();

        public int Compare(ScheduledSequence? a, ScheduledSequence? b) =>
            a!.Rank != b!.Rank ? a.Rank.CompareTo(b.Rank) : a.Arrival.CompareTo(b.Arrival);
    }
}
