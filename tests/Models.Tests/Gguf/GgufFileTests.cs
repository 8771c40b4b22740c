using System.Text;
using Inference.Kernels;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

public class GgufFileTests
{
    /// <summary>A small valid file with every value type, an unsupported tensor type and an unknown one.</summary>
    internal static GgufWriter Sample() => new GgufWriter()
        .Set("general.architecture", "llama")
        .Set("a.u8", (byte)200).Set("a.i8", (sbyte)-3).Set("a.u16", (ushort)65000).Set("a.i16", (short)-300)
        .Set("a.u32", 4000000000u).Set("a.i32", -70000).Set("a.u64", 1UL << 40).Set("a.i64", -(1L << 40))
        .Set("a.f32", 1e-5f).Set("a.f64", 0.1).Set("a.yes", true).Set("a.no", false)
        .Set("a.strings", new[] { "one", "", "drei ▁ä" }).Set("a.floats", new[] { 0.5f, -1f }).Set("a.ints", new[] { 3, -1, 7 })
        .Set("a.bytes", new ushort[] { 1, 2, 3 }).Set("a.bools", new[] { true, false }).Set("a.empty", Array.Empty<int>())
        .AddF32("vector", [3], i => i + 0.5f)
        .AddF32("matrix", [4, 2], i => i);

    internal static GgufFile Open(byte[] bytes, out TempFile file)
    {
        file = new TempFile(bytes);
        return GgufFile.Open(file.Path);
    }

    [Theory, InlineData(2u), InlineData(3u)]
    public void Reads_every_value_type(uint version)
    {
        GgufWriter writer = Sample();
        writer.Version = version;
        using GgufFile gguf = Open(writer.ToArray(), out TempFile file);
        using TempFile _ = file;
        Assert.Equal((int)version, gguf.Version);
        Assert.Equal("llama", gguf.RequireString("general.architecture"));
        string[] integers = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"];
        Assert.Equal([200, -3, 65000, -300, 4000000000, -70000, 1L << 40, -(1L << 40)], integers.Select(k => gguf.RequireInteger("a." + k)));
        Assert.Equal(1e-5f, gguf.RequireNumber("a.f32"));
        Assert.Equal(0.1, gguf.RequireNumber("a.f64"));
        Assert.Equal(200, gguf.RequireNumber("a.u8"));
        Assert.True(gguf.RequireBool("a.yes"));
        Assert.False(gguf.RequireBool("a.no"));
        Assert.Equal(["one", "", "drei ▁ä"], gguf.RequireStringArray("a.strings"));
        Assert.Equal([0.5f, -1f], gguf.TryGetFloatArray("a.floats")!);
        Assert.Equal([3, -1, 7], gguf.TryGetIntArray("a.ints")!);
        Assert.Equal([1, 2, 3], gguf.TryGetIntArray("a.bytes")!);
        Assert.Equal(0, gguf.ArrayLength("a.empty"));
        Assert.Equal("[3] one, , drei ▁ä", gguf.Describe("a.strings"));
        Assert.Equal("[3] 3, …", gguf.Describe("a.ints", maxElements: 1));
    }

    [Fact]
    public void Absent_keys_are_absent_and_required_ones_an_error()
    {
        using GgufFile gguf = Open(Sample().ToArray(), out TempFile file);
        using TempFile _ = file;
        Assert.False(gguf.TryGetString("x", out string? _));
        Assert.False(gguf.TryGetInteger("x", out long _));
        Assert.False(gguf.TryGetNumber("x", out double _));
        Assert.False(gguf.TryGetBool("x", out bool _));
        Assert.Null(gguf.TryGetStringArray("x"));
        Assert.Null(gguf.TryGetFloatArray("x"));
        Assert.Null(gguf.TryGetIntArray("x"));
        Assert.Null(gguf.ArrayLength("x"));
        Assert.Equal($"{file.Path}: x: expected string, found no such key", Assert.Throws<ModelFormatException>(() => gguf.RequireString("x")).Message);
    }

    [Fact]
    public void A_wrong_type_names_file_key_expected_and_found()
    {
        using GgufFile gguf = Open(Sample().ToArray(), out TempFile file);
        using TempFile _ = file;
        (Action Read, string Message)[] cases =
        [
            (() => gguf.RequireString("a.u8"), "a.u8: expected string, found u8"),
            (() => gguf.RequireInteger("a.f32"), "a.f32: expected integer, found f32"),
            (() => gguf.RequireInteger("a.yes"), "a.yes: expected integer, found bool"),
            (() => gguf.RequireNumber("general.architecture"), "general.architecture: expected number, found string"),
            (() => gguf.RequireBool("a.u8"), "a.u8: expected bool, found u8"),
            (() => gguf.TryGetStringArray("a.ints"), "a.ints: expected array of string, found array of 3 i32"),
            (() => gguf.TryGetFloatArray("a.ints"), "a.ints: expected array of f32, found array of 3 i32"),
            (() => gguf.TryGetIntArray("a.floats"), "a.floats: expected array of i32, found array of 2 f32"),
            (() => gguf.TryGetIntArray("a.i32"), "a.i32: expected array of i32, found i32"),
        ];
        foreach ((Action read, string message) in cases) Assert.Equal($"{file.Path}: {message}", Assert.Throws<ModelFormatException>(read).Message);
    }

    [Fact]
    public void Bytes_that_are_no_UTF8_stay_readable()
    {
        byte[][] tokens = [[0xff, (byte)'a'], Encoding.UTF8.GetBytes("日本 ▁")];
        using GgufFile gguf = Open(new GgufWriter().Set("tokens", tokens).ToArray(), out TempFile file);
        using TempFile _ = file;
        Assert.Equal(["\ufffda", "日本 ▁"], gguf.RequireStringArray("tokens"));
    }

    [Fact]
    public void Lists_tensors_and_reads_their_rows()
    {
        GgufWriter writer = Sample();
        writer.Tensors.Add(new("old", 24, [64, 2], new byte[128]));
        writer.Tensors.Add(new("future", 200, [7, 5], []));
        using GgufFile gguf = Open(writer.ToArray(), out TempFile file);
        using TempFile _ = file;
        Assert.Equal(["vector", "matrix", "old", "future"], gguf.Tensors.Select(t => t.Name));
        Assert.Equal(["[3]", "[2, 4]", "[2, 64]", "[5, 7]"], gguf.Tensors.Select(t => t.Shape));
        Assert.Equal([12, 32, 128, 0], gguf.Tensors.Select(t => t.Bytes));
        TensorSource source = gguf.Source(gguf.FindTensor("matrix")!);
        var row = new float[4];
        source.DecodeRow(1, row);
        Assert.Equal((2, 4), (source.Rows, source.Columns));
        Assert.Equal([4, 5, 6, 7], row);
        var old = Assert.Throws<ModelFormatException>(() => gguf.Source(gguf.FindTensor("old")!));
        Assert.Equal(("tensor old", "I8"), (old.Key, old.Found));
        Assert.Contains("Q4_0", old.Expected);
        Assert.Equal("type 200", Assert.Throws<ModelFormatException>(() => gguf.Source(gguf.FindTensor("future")!)).Found);
        Assert.Null(gguf.FindTensor("absent"));
    }

    [Fact]
    public void A_closed_file_says_so()
    {
        GgufFile gguf = Open(Sample().ToArray(), out TempFile file);
        using TempFile _ = file;
        StoredTensor tensor = gguf.Tensors[0];
        gguf.Dispose();
        gguf.Dispose();
        Assert.Throws<ObjectDisposedException>(() => gguf.RequireString("general.architecture"));
        Assert.Throws<ObjectDisposedException>(() => gguf.Source(tensor));
    }

    [Fact]
    public void An_absent_file_is_an_IOException() => Assert.Throws<FileNotFoundException>(() => GgufFile.Open(Path.Combine(Path.GetTempPath(), "no such file.gguf")));

    [Fact]
    public void Every_stored_file_opens_and_its_tensors_fill_it()
    {
        string folder = SharedData.Require("conformance", "models");
        foreach (string path in Directory.GetFiles(folder, "*.gguf"))
        {
            using GgufFile gguf = GgufFile.Open(path);
            StoredTensor last = gguf.Tensors.MaxBy(t => t.Offset)!;
            // The writer pads the last tensor to the alignment, so a wrong block size of any type would show here.
            Assert.Equal(gguf.Length, (last.Offset + last.Bytes + 31) / 32 * 32);
            Assert.All(gguf.Tensors, t => Assert.True(t.Bytes > 0, t.TypeName));
        }
    }
}
