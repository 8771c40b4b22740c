using Inference.Kernels;

namespace Inference.Models.Tests;

/// <summary>One safetensors file: what its header may say, and what it may not.</summary>
public class SafetensorsFileTests
{
    private static SafetensorsWriter Sample() => new SafetensorsWriter().AddF32("matrix", [2, 3], 1, 2, 3, 4, 5, 6).AddF32("vector", [2], 7, 8);

    private static ModelFormatException Refused(byte[] bytes)
    {
        using var file = new TempFile(bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(file.Path).Dispose());
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20, "a damaged header made the reader allocate");
        Assert.Equal(file.Path, error.File);
        return error;
    }

    private static ModelFormatException Refused(SafetensorsWriter writer) => Refused(writer.ToArray());

    private static ModelFormatException RefusedHeader(string header) => Refused(new SafetensorsWriter { Header = header }.ToArray());

    private static ModelFormatException RefusedWith(SafetensorsWriter.Tensor tensor)
    {
        SafetensorsWriter writer = Sample();
        writer.Tensors.Add(tensor);
        ModelFormatException error = Refused(writer);
        Assert.Equal($"tensor {tensor.Name}", error.Key);
        return error;
    }

    [Fact]
    public void Lists_tensors_innermost_extent_first()
    {
        SafetensorsWriter writer = Sample();
        writer.Tensors.Add(new("scalar", "BF16", [], [0x80, 0x3f]));
        writer.Tensors.Add(new("bytes", "F8_E4M3", [1, 3, 1], [1, 2, 3]));
        using var temp = new TempFile(writer.ToArray());
        using SafetensorsFile file = SafetensorsFile.Open(temp.Path);
        Assert.Equal(["matrix", "vector", "scalar", "bytes"], file.Tensors.Select(t => t.Name));
        Assert.Equal(["[2, 3]", "[2]", "[1]", "[1, 3, 1]"], file.Tensors.Select(t => t.Shape));
        Assert.Equal([TensorType.F32, TensorType.F32, TensorType.BF16], file.Tensors.Take(3).Select(t => t.Type));
        Assert.Equal("F8_E4M3", file.Tensors[3].TypeName);
        Assert.Equal(new FileInfo(temp.Path).Length, file.Tensors[3].Offset + 3);
        Assert.Equal([24L, 8, 2, 3], file.Tensors.Select(t => t.Bytes));
    }

    [Fact]
    public void Truncated_at_any_byte_or_longer()
    {
        byte[] whole = Sample().ToArray();
        for (int length = 0; length < whole.Length; length++) Refused(whole[..length]);
        Assert.Equal("file", Refused([.. whole, 0]).Key);
    }

    [Theory, InlineData(0UL), InlineData(1UL), InlineData(4000UL), InlineData(100_000_001UL), InlineData(1UL << 63), InlineData(ulong.MaxValue)]
    public void Wrong_header_lengths(ulong length)
    {
        SafetensorsWriter writer = Sample();
        writer.HeaderLength = length;
        Assert.Equal("header", Refused(writer).Key);
    }

    [Theory]
    [InlineData(""), InlineData("[]"), InlineData("{"), InlineData("{}{}"), InlineData("{\"a\":1}"), InlineData("{\"a\":[]}"), InlineData("{\"\":{}}"), InlineData("null")]
    [InlineData("{\"__metadata__\":1}"), InlineData("{\"__metadata__\":{\"a\":1}}"), InlineData("{\"\\ud800\":{}}")]
    public void Other_headers(string header) => RefusedHeader(header);

    [Fact]
    public void Headers_that_are_no_UTF8()
    {
        byte[] bytes = Sample().ToArray();
        bytes[Array.IndexOf(bytes, (byte)'m', 8)] = 0xff;
        Assert.Equal(("header", "UTF-8"), (Refused(bytes).Key, Refused(bytes).Expected));
    }

    [Theory]
    [InlineData("{\"shape\":[1],\"data_offsets\":[0,4]}"), InlineData("{\"dtype\":\"F32\",\"data_offsets\":[0,4]}"), InlineData("{\"dtype\":\"F32\",\"shape\":[1]}"), InlineData("{}")]
    [InlineData("{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}"), InlineData("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":0}")]
    [InlineData("{\"dtype\":\"X9\",\"shape\":[1],\"data_offsets\":[0,4]}"), InlineData("{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}"), InlineData("{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}")]
    [InlineData("{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]}"), InlineData("{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}"), InlineData("{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}")]
    [InlineData("{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}"), InlineData("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,4]}"), InlineData("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}")]
    [InlineData("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}"), InlineData("{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,4]}")]
    public void Other_entries(string entry) => Assert.Equal("tensor a", RefusedHeader($"{{\"a\":{entry}}}").Key);

    [Fact]
    public void Shapes_ranges_and_names_that_do_not_fit()
    {
        RefusedWith(new("a", "F32", [3], new byte[8]));
        RefusedWith(new("a", "F32", [0], []));
        RefusedWith(new("a", "F4", [3], new byte[1]));
        RefusedWith(new("a", "F32", [1L << 62, 4], new byte[4]));
        RefusedWith(new("a", "F32", [long.MaxValue], new byte[4]));
        RefusedWith(new("a", "F32", [1L << 32, 1L << 32, 1L << 32], new byte[4]));
        RefusedWith(new("a", "F32", [1], new byte[4], (0, 4)));
        RefusedWith(new("a", "F32", [1], new byte[8], (36, 40)));
        RefusedWith(new("a", "F32", [1], new byte[4], (1L << 40, (1L << 40) + 4)));
        RefusedWith(new("a", "F32", [1], new byte[4], (long.MaxValue - 4, long.MaxValue)));
        Assert.Equal("tensor a", RefusedHeader("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""").Key);
        Assert.Contains("where tensor vector ends", RefusedWith(new("a", "F32", [1], new byte[12], (40, 44))).Expected);
    }

    [Fact]
    public void Names_may_be_any_text()
    {
        foreach (string name in (string[])["ä▁", "a\"b", "a b", new string('x', 65535)])
        {
            using var temp = new TempFile(new SafetensorsWriter().AddF32(name, [1], 1).ToArray());
            using SafetensorsFile file = SafetensorsFile.Open(temp.Path);
            Assert.Equal(name, file.Tensors[0].Name);
        }
        Refused(new SafetensorsWriter().AddF32(new string('x', 65536), [1], 1));
    }
}
