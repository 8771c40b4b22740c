namespace Inference.Models;

/// <summary>The merges that a vocabulary with scores implies: two tokens merge when their joined text is a token, whose score ranks them.</summary>
internal static class ScoredMerges
{
    /// <summary>Makes the merges, and adds them to the vocabulary.</summary>
    /// <param name="vocabulary">Without merges.</param>
    /// <param name="scores">Of each token, the higher merges first.</param>
    public static PairMap Make(BytePairVocabulary vocabulary, float[] scores)
    {
        int[] ranks = Rank(scores);
        var ids = vocabulary.Ids.GetAlternateLookup<ReadOnlySpan<char>>();
        var map = new PairMap(vocabulary.Tokens.Length * 2);
        // Only cuts into lengths that tokens have are looked up: a hostile token of a megabyte would be hashed a million times otherwise.
        bool[] lengths = new bool[vocabulary.Ids.Keys.Select(token => token.Length).DefaultIfEmpty().Max() + 1];
        foreach (string token in vocabulary.Ids.Keys) lengths[token.Length] = true;
        foreach ((string token, int merged) in vocabulary.Ids)
        {
            for (int cut = 1; cut < token.Length; cut++)
            {
                if (!lengths[cut] || !lengths[token.Length - cut] || char.IsLowSurrogate(token[cut]) || !ids.TryGetValue(token.AsSpan(0, cut), out int left) || !ids.TryGetValue(token.AsSpan(cut), out int right)) continue;
                map.TryAdd(left, right, ranks[merged], merged);
                vocabulary.AddMerge(left, right, merged);
            }
        }
        return map;
    }

    /// <summary>Position of each token's score among the distinct scores, the highest first: an int that orders like the score.</summary>
    private static int[] Rank(float[] scores)
    {
        float[] distinct = [.. scores.Distinct().OrderDescending()];
        var rankOf = new Dictionary<float, int>(distinct.Length);
        for (int rank = 0; rank < distinct.Length; rank++) rankOf.Add(distinct[rank], rank);
        return Array.ConvertAll(scores, score => rankOf[score]);
    }
}
