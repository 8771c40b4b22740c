using System.Buffers.Binary;
using Inference.Kernels;

namespace Inference.Models.Tests;

/// <summary>Damaged files: each is a <see cref="ModelFormatException"/>, whatever is wrong, and never an allocation out of proportion to the file.</summary>
public class GgufCorruptionTests
{
    private static ModelFormatException Refused(byte[] bytes)
    {
        using var file = new TempFile(bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<ModelFormatException>(() => GgufFile.Open(file.Path).Dispose());
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20, "a damaged header made the reader allocate");
        Assert.StartsWith($"{file.Path}: {error.Key}: expected {error.Expected}, found {error.Found}", error.Message);
        return error;
    }

    private static ModelFormatException Refused(GgufWriter writer) => Refused(writer.ToArray());

    private static GgufWriter WithTensor(GgufWriter.Tensor tensor)
    {
        GgufWriter writer = GgufFileTests.Sample();
        writer.Tensors.Add(tensor);
        return writer;
    }

    [Fact]
    public void Truncated_at_any_byte()
    {
        byte[] whole = GgufFileTests.Sample().ToArray();
        for (int length = 0; length < whole.Length; length++) Refused(whole[..length]);
        using GgufFile gguf = GgufFileTests.Open(whole, out TempFile file);
        using TempFile _ = file;
    }

    [Fact]
    public void Another_magic_or_version()
    {
        Assert.Equal("magic", Refused(new GgufWriter { Magic = 0x67676d6c }).Key);
        Assert.Equal("version 1, which was withdrawn in 2023", Refused(new GgufWriter { Version = 1 }).Found);
        Assert.Equal("a big-endian file of version 3", Refused(new GgufWriter { Version = 0x03000000 }).Found);
        Assert.Equal("version 4", Refused(new GgufWriter { Version = 4 }).Found);
        Refused(new GgufWriter { Version = 0 });
    }

    [Theory, InlineData(20UL), InlineData(1UL << 31), InlineData(1UL << 62), InlineData(ulong.MaxValue)]
    public void Huge_counts(ulong count)
    {
        GgufWriter writer = GgufFileTests.Sample();
        writer.TensorCount = count;
        Refused(writer);
        writer.TensorCount = null;
        writer.PairCount = count | 64;
        Refused(writer);
        // A count of 0 for what is there shifts everything behind it.
        writer.PairCount = 0;
        Refused(writer);
    }

    [Theory, InlineData(200UL), InlineData(1UL << 33), InlineData(1UL << 63), InlineData(ulong.MaxValue)]
    public void Huge_strings_and_arrays(ulong count)
    {
        byte[] length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, count);
        Assert.Equal("k", Refused(new GgufWriter().AddRaw("k", 8, length)).Key);
        for (uint element = 0; element <= 12; element++)
        {
            byte[] array = [(byte)element, 0, 0, 0, .. length];
            Assert.Equal("k", Refused(new GgufWriter().AddRaw("k", 9, array)).Key);
        }
        byte[] strings = [8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, .. length];
        Assert.Equal("k", Refused(new GgufWriter().AddRaw("k", 9, strings)).Key);
    }

    [Fact]
    public void Unknown_value_types_and_nested_arrays()
    {
        Assert.Equal("type 13", Refused(new GgufWriter().AddRaw("k", 13, new byte[64])).Found);
        Assert.Equal("type 4294967295", Refused(new GgufWriter().AddRaw("k", uint.MaxValue, new byte[64])).Found);
        Assert.Equal("type 77", Refused(new GgufWriter().AddRaw("k", 9, [77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])).Found);
        Assert.Equal("an array of arrays", Refused(new GgufWriter().AddRaw("k", 9, [9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])).Found);
        Assert.Equal("2", Refused(new GgufWriter().AddRaw("k", 7, [2])).Found);
        Assert.Equal("3", Refused(new GgufWriter().AddRaw("k", 9, [7, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 3])).Found);
    }

    [Fact]
    public void Duplicate_and_empty_names()
    {
        Assert.Equal("a.u8", Refused(GgufFileTests.Sample().AddRaw("a.u8", 0, [1])).Key);
        Assert.Equal("tensor vector", Refused(WithTensor(new("vector", 0, [1], new byte[4]))).Key);
        Assert.Equal("metadata key", Refused(GgufFileTests.Sample().AddRaw("", 0, [1])).Key);
        Assert.Equal("metadata key", Refused(GgufFileTests.Sample().AddRaw(new string('k', 65536), 0, [1])).Key);
        Assert.Equal("tensor name", Refused(WithTensor(new("", 0, [1], new byte[4]))).Key);
    }

    [Theory, InlineData(0), InlineData(24), InlineData(-32), InlineData(1L << 31), InlineData(long.MaxValue)]
    public void Bad_alignment(long alignment) => Assert.Equal("general.alignment", Refused(GgufFileTests.Sample().Set("general.alignment", alignment)).Key);

    [Fact]
    public void Alignment_of_another_type() => Assert.Equal("general.alignment", Refused(GgufFileTests.Sample().Set("general.alignment", "32")).Key);

    [Fact]
    public void Another_alignment_is_obeyed()
    {
        GgufWriter writer = GgufFileTests.Sample().Set("general.alignment", 256u);
        Refused(writer); // written with offsets of 32
        writer.Alignment = 256;
        using GgufFile gguf = GgufFileTests.Open(writer.ToArray(), out TempFile file);
        using TempFile _ = file;
        Assert.All(gguf.Tensors, t => Assert.Equal(0, t.Offset % 256));
        var row = new float[3];
        gguf.Source(gguf.FindTensor("vector")!).DecodeRow(0, row);
        Assert.Equal([0.5f, 1.5f, 2.5f], row);
    }

    [Fact]
    public void Bad_dimensions()
    {
        Assert.Equal("0", Refused(WithTensor(new("t", 0, [], []))).Found);
        Assert.Equal("5", Refused(WithTensor(new("t", 0, [1, 1, 1, 1, 1], new byte[4]))).Found);
        Assert.Equal("4294967295", Refused(WithTensor(new("t", 0, [1], new byte[4], DimCount: uint.MaxValue))).Found);
        Assert.Equal("an extent of 0", Refused(WithTensor(new("t", 0, [4, 0], []))).Found);
        Refused(WithTensor(new("t", 0, [ulong.MaxValue], [])));
        Refused(WithTensor(new("t", 0, [1UL << 32, 1UL << 32], [])));
        Refused(WithTensor(new("t", 0, [1UL << 31, 1UL << 31, 4], [])));
        Refused(WithTensor(new("t", 0, [3, 0x5555555555555556], []))); // the product wraps to 2
        Refused(WithTensor(new("t", 12, [128, 2], new byte[144]))); // half a block of Q4_K in a row
    }

    [Fact]
    public void Tensors_outside_the_file_or_on_each_other()
    {
        Refused(WithTensor(new("t", 0, [8], new byte[32], Offset: 1UL << 40)));
        Refused(WithTensor(new("t", 0, [8], new byte[32], Offset: ulong.MaxValue - 31)));
        Refused(WithTensor(new("t", 0, [8], new byte[32], Offset: 96)));
        Refused(WithTensor(new("t", 0, [1UL << 40], new byte[32])));
        Refused(WithTensor(new("t", 0, [8], new byte[32], Offset: 65)));
        Assert.Contains("which ends at", Refused(WithTensor(new("t", 0, [8], new byte[32], Offset: 32))).Expected);
        Assert.Contains("which ends at", Refused(WithTensor(new("t", 200, [8], new byte[32], Offset: 0))).Expected);
        Refused(WithTensor(new("t", 200, [8], [], Offset: 1 << 20)));
    }

    [Fact]
    public void Random_damage_is_an_error_or_harmless()
    {
        byte[] whole = GgufFileTests.Sample().ToArray();
        var random = new Random(20251124);
        int refused = 0;
        for (int round = 0; round < 600; round++)
        {
            byte[] bytes = [.. whole];
            for (int hits = random.Next(1, 4); hits > 0; hits--)
            {
                int at = random.Next(bytes.Length - 8);
                if (random.Next(2) == 0) bytes[at] = (byte)random.Next(256);
                else BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), (ulong)random.NextInt64() >> random.Next(64));
            }
            if (random.Next(8) == 0) bytes = bytes[..random.Next(bytes.Length)];
            using var file = new TempFile(bytes);
            try
            {
                using GgufFile gguf = GgufFile.Open(file.Path);
                ReadEverything(gguf);
            }
            catch (ModelFormatException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 300, 599);
    }

    private static void ReadEverything(GgufFile gguf)
    {
        foreach (string key in gguf.Metadata.Keys) Assert.NotNull(gguf.Describe(key, int.MaxValue, int.MaxValue));
        foreach (StoredTensor tensor in gguf.Tensors.Where(t => TensorFormat.Find(t.Type) is not null))
        {
            TensorSource source = gguf.Source(tensor);
            var row = new float[source.Columns];
            for (int r = 0; r < source.Rows; r++) source.DecodeRow(r, row);
        }
    }
}
