using System.Runtime.InteropServices;

namespace Inference.Kernels.Tests;

/// <summary>
/// DESIGN.md section 6 for attention on the host: a row's output has the same bits token by token or in chunks of any size, alone or among other sequences,
/// on one thread or several, in blocks of any size and order. The case's yardstick is the decode of one sequence alone on one thread.
/// </summary>
public class SimdAttentionSamenessTests
{
    private const int Length = 600;
    private static readonly int[] Chunks = [7, 16, 100, Length];

    public static TheoryData<string, string, string> Cases()
    {
        var data = new TheoryData<string, string, string>();
        foreach (SimdLevel level in Enum.GetValues<SimdLevel>().Where(l => SimdLevels.Vectors(l) == l))
        {
            foreach (KvType type in Enum.GetValues<KvType>())
                foreach ((string name, AttentionShape shape) in Shapes)
                    if (!KvLayout.IsQuantized(type) || shape.KeyDim % 32 + shape.ValueDim % 32 == 0) data.Add(level.ToString(), $"{type} {type}", name);
            foreach (string pair in (string[])["Q8_0 Q4_0", "Q4_0 F16", "F32 Q8_0", "BF16 Q4_0"])
            {
                data.Add(level.ToString(), pair, "9/1x32 value 96");
                data.Add(level.ToString(), pair, "6/2x64");
            }
        }
        return data;
    }

    // Groups 4, 1, 7, 3 and 9 over few dims, the last with value heads wider than key heads and a part of the dims rotated.
    private static readonly Dictionary<string, AttentionShape> Shapes = new()
    {
        ["8/2x16"] = new(8, 2, 16, 16, 16, RopeStyle.Interleaved, 0.25f),
        ["2/2x48"] = new(2, 2, 48, 48, 48, RopeStyle.Half, 0.144f),
        ["7/1x32"] = new(7, 1, 32, 32, 32, RopeStyle.Half, 0.177f),
        ["6/2x64"] = new(6, 2, 64, 64, 64, RopeStyle.Interleaved, 0.125f),
        ["9/1x32 value 96"] = new(9, 1, 32, 96, 20, RopeStyle.Interleaved, 0.177f),
        ["9/1x32 value 80"] = new(9, 1, 32, 80, 20, RopeStyle.Interleaved, 0.177f),
    };

    [Theory, MemberData(nameof(Cases))]
    public void Rows_are_the_same_however_the_work_is_cut(string levelName, string typeNames, string shapeName)
    {
        SimdLevel level = Enum.Parse<SimdLevel>(levelName);
        Assert.SkipUnless(SimdLevels.IsSupported(level), "instruction set absent: " + level);
        KvType[] types = [.. typeNames.Split(' ').Select(Enum.Parse<KvType>)];
        AttentionShape shape = Shapes[shapeName];
        float[] expected;
        using (var alone = new SimdAttentionWorld(level, 1, shape, types[0], types[1], [Length], 16, 1))
        {
            for (int i = 0; i < Length; i++) alone.Step((0, 1));
            expected = alone.Results[0];
        }
        Assert.All(expected, x => Assert.True(float.IsFinite(x)));
        foreach (int threads in (int[])[1, 2, 3])
            foreach (int chunk in Chunks)
            {
                using var world = new SimdAttentionWorld(level, threads, shape, types[0], types[1], [Length], chunk == 100 ? 48 : 32 * threads, chunk);
                for (int i = 0; i < Length; i += chunk) world.Step((0, Math.Min(chunk, Length - i)));
                AssertSame(expected, world.Results[0], $"chunks of {chunk}, {threads} threads");
            }
    }

    /// <summary>Decode, short and long chunks in one step: every sequence gets what it gets alone. Two threads and long contexts make split items.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void Rows_are_the_same_among_other_sequences(string levelName, string typeNames, string shapeName)
    {
        SimdLevel level = Enum.Parse<SimdLevel>(levelName);
        Assert.SkipUnless(SimdLevels.IsSupported(level), "instruction set absent: " + level);
        KvType[] types = [.. typeNames.Split(' ').Select(Enum.Parse<KvType>)];
        int[] lengths = [Length, 40, 530];
        float[][] expected;
        using (var alone = new SimdAttentionWorld(level, 1, Shapes[shapeName], types[0], types[1], lengths, 16, 1))
        {
            for (int s = 0; s < 3; s++) alone.Step((s, lengths[s]));
            expected = alone.Results;
        }
        foreach (int threads in (int[])[1, 2])
        {
            using var mixed = new SimdAttentionWorld(level, threads, Shapes[shapeName], types[0], types[1], lengths, 64, 5);
            mixed.Step((2, 511));
            mixed.Step((1, 3), (0, 590));
            for (int i = 0; i < 10; i++) mixed.Step((0, 1), (2, 1), (1, 2));
            mixed.Step((2, 9), (1, 17));
            for (int s = 0; s < 3; s++) AssertSame(expected[s], mixed.Results[s], $"sequence {s}, {threads} threads");
        }
    }

    /// <summary>
    /// Sequences on the same blocks (a tree of prefixes: 0, 1, 2 and 3 share 528 tokens, 1 and 2 another 256, 3 leaves in the middle of a partition; 4 shares with none; 5 less than a partition)
    /// decode with the bits that each has alone, also while others prefill. One thread and several, blocks that divide a partition and blocks that do not.
    /// </summary>
    [Theory, MemberData(nameof(Cases))]
    public void Rows_are_the_same_with_a_shared_prefix(string levelName, string typeNames, string shapeName)
    {
        SimdLevel level = Enum.Parse<SimdLevel>(levelName);
        Assert.SkipUnless(SimdLevels.IsSupported(level), "instruction set absent: " + level);
        KvType[] types = [.. typeNames.Split(' ').Select(Enum.Parse<KvType>)];
        int[] lengths = [830, 830, 840, 600, 530, 250];
        (int From, int Tokens)[] prefixes = [(0, 0), (0, 816), (1, 816), (0, 528), (4, 0), (0, 240)];
        float[][] expected = RunShared(new(level, 1, Shapes[shapeName], types[0], types[1], lengths, 16, 1, prefixes, share: false), together: false);
        foreach ((int threads, int blockSize) in ((int, int)[])[(1, 16), (2, 16), (3, 48)])
        {
            float[][] actual = RunShared(new(level, threads, Shapes[shapeName], types[0], types[1], lengths, blockSize, 7, prefixes), together: true);
            for (int s = 0; s < lengths.Length; s++) AssertSame(expected[s], actual[s], $"sequence {s}, {threads} threads, blocks of {blockSize}");
        }

        static float[][] RunShared(SimdAttentionWorld world, bool together)
        {
            using SimdAttentionWorld _ = world;
            world.Step((0, 528));
            world.Step((0, 290));
            world.Step((4, 510));
            if (together)
            {
                for (int i = 0; i < 12; i++) world.Step((3, 1), (0, 1), (4, 1), (2, 1), (1, 1));
                world.Step((1, 1), (3, 30), (5, 1));
            }
            else
            {
                foreach ((int sequence, int rows) in ((int, int)[])[(0, 12), (3, 42), (4, 12), (2, 12), (1, 13), (5, 1)])
                    for (int i = 0; i < rows; i++) world.Step((sequence, 1));
            }
            return world.Results;
        }
    }

    private static void AssertSame(float[] expected, float[] actual, string what)
    {
        if (MemoryMarshal.AsBytes<float>(expected).SequenceEqual(MemoryMarshal.AsBytes<float>(actual))) return;
        int at = Enumerable.Range(0, expected.Length).First(i => BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]));
        Assert.Fail($"{what}: element {at} is {actual[at]:R}, expected {expected[at]:R}");
    }
}
