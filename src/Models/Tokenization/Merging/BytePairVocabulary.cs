namespace Inference.Models;

/// <summary>Tokens that merging can give, and the merges, the first of which goes first.</summary>
internal sealed class BytePairVocabulary
{
    private readonly List<(int Left, int Right, int Merged)> merges;
    private readonly bool[] known;

    /// <param name="tokens">Spelling of every token.</param>
    /// <param name="ids">The tokens that merging starts from, passes through and gives.</param>
    /// <param name="merges">About how many merges will be added.</param>
    public BytePairVocabulary(string[] tokens, Dictionary<string, int> ids, int merges)
    {
        Tokens = tokens;
        Ids = ids;
        this.merges = new List<(int, int, int)>(merges);
        known = new bool[tokens.Length];
        foreach (int id in ids.Values) known[id] = true;
    }

    public string[] Tokens { get; }

    public Dictionary<string, int> Ids { get; }

    public IReadOnlyList<(int Left, int Right, int Merged)> Merges => merges;

    /// <summary>Stands for what has no token; null when that is dropped.</summary>
    public int? UnknownId { get; init; }

    /// <summary>Appends a merge.</summary>
    /// <returns>Null, or the token that the vocabulary lacks.</returns>
    public string? TryAddMerge(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        var lookup = Ids.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!lookup.TryGetValue(left, out int leftId)) return left.ToString();
        if (!lookup.TryGetValue(right, out int rightId)) return right.ToString();
        // Most files list merges in the order of the tokens that they give.
        int merged = merges.Count == 0 ? 0 : merges[^1].Merged + 1;
        if (!IsJoined(merged, left, right))
        {
            Span<char> joined = left.Length + right.Length <= 512 ? stackalloc char[left.Length + right.Length] : new char[left.Length + right.Length];
            left.CopyTo(joined);
            right.CopyTo(joined[left.Length..]);
            if (!lookup.TryGetValue(joined, out merged)) return joined.ToString();
        }
        AddMerge(leftId, rightId, merged);
        return null;
    }

    private bool IsJoined(int id, ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (id >= known.Length || !known[id]) return false;
        string token = Tokens[id];
        return token.Length == left.Length + right.Length && token.AsSpan().StartsWith(left) && token.AsSpan(left.Length).SequenceEqual(right);
    }

    /// <summary>Appends a merge of tokens.</summary>
    public void AddMerge(int left, int right, int merged) => merges.Add((left, right, merged));

    /// <summary>The merges for <see cref="PairMerger"/>; of equals, the first counts.</summary>
    public PairMap MakeMap()
    {
        var map = new PairMap(merges.Count);
        for (int rank = 0; rank < merges.Count; rank++) map.TryAdd(merges[rank].Left, merges[rank].Right, rank, merges[rank].Merged);
        return map;
    }
}
