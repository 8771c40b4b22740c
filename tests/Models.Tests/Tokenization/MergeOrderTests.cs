using System.Text;

namespace Inference.Models.Tests;

/// <summary>Merging against the definition: look for the best pair of the whole sequence, the leftmost among equals, merge it, start over.</summary>
public class MergeOrderTests
{
    private const string Alphabet = "abcd";

    /// <summary>Pieces above 1,024 characters take our merge loop, shorter ones the package.</summary>
    [Theory]
    [InlineData(1, 40, 20, 100)]
    [InlineData(1020, 1030, 2, 4)]
    [InlineData(1500, 1600, 2, 1)]
    public void ByteLevelFollowsTheMergeList(int shortest, int longest, int vocabularies, int texts)
    {
        for (int seed = 0; seed < vocabularies; seed++)
        {
            var random = new Random(seed);
            string[] merges = RandomMerges(random, 60);
            VocabularyData data = SmallVocabularies.ByteLevel("gpt-2", merges);
            Tokenizer tokenizer = Tokenizer.Create(data);
            var ranks = new Dictionary<(string, string), double>();
            for (int rank = 0; rank < merges.Length; rank++) ranks.TryAdd((merges[rank].Split(' ')[0], merges[rank].Split(' ')[1]), rank);
            for (int i = 0; i < texts; i++)
            {
                string text = RandomLetters(random, random.Next(shortest, longest + 1));
                List<string> expected = Merge(text, (left, right) => ranks.TryGetValue((left, right), out double rank) ? rank : null);
                Assert.Equal(expected.Select(token => Array.IndexOf(data.Tokens, token)), tokenizer.EncodeText(text));
            }
        }
    }

    [Fact]
    public void SentencePieceFollowsTheScores()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            string[] merged = [.. RandomMerges(random, 40).Select(merge => merge.Replace(" ", "", StringComparison.Ordinal)).Distinct()];
            // Few distinct scores, so that many merges tie.
            (string Text, float Score)[] tokens = [.. Alphabet.Select(letter => ($"{letter}", -100f)), .. merged.Select(token => (token, -random.Next(6) / 2f))];
            VocabularyData data = SmallVocabularies.SentencePiece(tokens) with { AddSpacePrefix = false };
            Tokenizer tokenizer = Tokenizer.Create(data);
            Dictionary<string, float> scores = tokens.ToDictionary(token => token.Text, token => token.Score);
            for (int i = 0; i < 100; i++)
            {
                string text = RandomLetters(random, random.Next(1, 60));
                List<string> expected = Merge(text, (left, right) => scores.TryGetValue(left + right, out float score) ? -score : null);
                Assert.Equal(expected.Select(token => Array.IndexOf(data.Tokens, token)), tokenizer.EncodeText(text));
            }
        }
    }

    /// <summary>The definition, in O(n²).</summary>
    private static List<string> Merge(string text, Func<string, string, double?> priority)
    {
        List<string> symbols = [.. text.Select(letter => $"{letter}")];
        while (true)
        {
            int best = -1;
            double bestPriority = double.PositiveInfinity;
            for (int i = 0; i + 1 < symbols.Count; i++)
            {
                if (priority(symbols[i], symbols[i + 1]) is not { } found || found >= bestPriority) continue;
                (best, bestPriority) = (i, found);
            }
            if (best < 0) return symbols;
            symbols[best] += symbols[best + 1];
            symbols.RemoveAt(best + 1);
        }
    }

    /// <summary>Merges of random known tokens, as training would list them: parts before wholes.</summary>
    private static string[] RandomMerges(Random random, int count)
    {
        List<string> tokens = [.. Alphabet.Select(letter => $"{letter}")];
        var merges = new List<string>();
        while (merges.Count < count)
        {
            string left = tokens[random.Next(tokens.Count)], right = tokens[random.Next(tokens.Count)];
            if (left.Length + right.Length > 8 || merges.Contains($"{left} {right}")) continue;
            merges.Add($"{left} {right}");
            if (!tokens.Contains(left + right)) tokens.Add(left + right);
        }
        return [.. merges];
    }

    private static string RandomLetters(Random random, int length)
    {
        var text = new StringBuilder(length);
        for (int i = 0; i < length; i++) text.Append(Alphabet[random.Next(Alphabet.Length)]);
        return text.ToString();
    }
}
