using System.Text;

namespace Inference.Models.Tests;

/// <summary>Well-formed strings from all of Unicode, with the kinds of character that tokenizers treat apart over-represented.</summary>
internal static class RandomText
{
    private static readonly string[] Common = [" ", "  ", "\n", "\r\n", "\t", "a", "the", "'s", "'LL", "123", "é", "e\u0301", "日本", "😀", "👩\u200D💻", "\u00A0", "((", "<|x|>", "\0", "\uFFFE"];

    public static IEnumerable<string> Strings(int seed, int count)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            var text = new StringBuilder();
            for (int length = random.Next(1, 24); length > 0; length--)
            {
                if (random.Next(2) == 0) text.Append(Common[random.Next(Common.Length)]);
                else if (Rune.TryCreate(random.Next(random.Next(2) == 0 ? 0x3000 : 0x110000), out Rune rune)) text.Append(rune.ToString());
            }
            yield return text.ToString();
        }
    }
}
