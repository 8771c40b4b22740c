using System.Buffers.Binary;
using System.Text;

namespace Inference.Models.Tests;

/// <summary>SentencePiece's character map, built here by the definition of the format.</summary>
public class CharacterMapTests
{
    private static readonly Dictionary<string, string> Map = new()
    {
        ["ﬁ"] = "fi",
        ["\u3000"] = " ",
        ["e\u0301"] = "é",
        ["\u200B"] = "",
        ["½"] = "1/2",
        ["👩"] = "w",
        ["ab"] = "X",
        ["\t"] = " ",
    };

    [Theory]
    [InlineData("ﬁn", "fin")]
    [InlineData("a\u3000b\tc", "a b c")]
    [InlineData("e\u0301a", "éa")]
    [InlineData("x\u200By½", "xy1/2")]
    // Too long a grapheme: character by character.
    [InlineData("👩\u200D💻", "w\u200D💻")]
    // Two graphemes, so the pair is never looked up.
    [InlineData("ab", "ab")]
    [InlineData("\r\n日本", "\r\n日本")]
    public void TextIsMapped(string text, string mapped) => Assert.Equal(mapped, new CharacterMapNormalizer(Build(Map)).Apply(text));

    [Fact]
    public void DamagedMapsAreRefusedOrHarmless()
    {
        byte[] map = Build(Map);
        Assert.Throws<FormatException>(() => new CharacterMapNormalizer(map.AsSpan(0, 3)));
        Assert.Throws<FormatException>(() => new CharacterMapNormalizer(map.AsSpan(0, 50)));
        var random = new Random(2);
        for (int round = 0; round < 500; round++)
        {
            byte[] damaged = (byte[])map.Clone();
            for (int i = 0; i < 20; i++) damaged[random.Next(4, damaged.Length)] = (byte)random.Next(256);
            Assert.NotNull(new CharacterMapNormalizer(damaged).Apply("ﬁ\u3000e\u0301½👩ab\t"));
        }
    }

    /// <summary>A double array: the children of a node lie at its base XOR their label; a node that ends a key has its value at the base.</summary>
    private static byte[] Build(Dictionary<string, string> map)
    {
        var root = new SortedDictionary<byte, object>();
        var replacements = new MemoryStream();
        foreach ((string from, string to) in map)
        {
            SortedDictionary<byte, object> node = root;
            foreach (byte label in Encoding.UTF8.GetBytes(from))
            {
                if (!node.TryGetValue(label, out object? child)) node[label] = child = new SortedDictionary<byte, object>();
                node = (SortedDictionary<byte, object>)child;
            }
            node[0] = (uint)replacements.Length;
            replacements.Write(Encoding.UTF8.GetBytes(to));
            replacements.WriteByte(0);
        }
        var units = new Dictionary<uint, uint>();
        var taken = new HashSet<uint> { 0 };
        Place(0, 0, root);
        uint count = units.Keys.Max() + 1;
        byte[] bytes = new byte[4 + count * 4 + replacements.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, count * 4);
        foreach ((uint at, uint unit) in units) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4 + (int)at * 4), unit);
        replacements.ToArray().CopyTo(bytes, 4 + count * 4);
        return bytes;

        void Place(uint position, uint label, SortedDictionary<byte, object> node)
        {
            uint start = 1;
            while (taken.Contains(start) || node.Keys.Any(child => taken.Contains(start ^ child))) start++;
            units[position] = label | (node.ContainsKey(0) ? 1u << 8 : 0) | (position ^ start) << 10;
            foreach (byte child in node.Keys) taken.Add(start ^ child);
            foreach ((byte child, object below) in node)
            {
                if (child == 0) units[start] = (uint)below | 1u << 31;
                else Place(start ^ child, child, (SortedDictionary<byte, object>)below);
            }
        }
    }
}
