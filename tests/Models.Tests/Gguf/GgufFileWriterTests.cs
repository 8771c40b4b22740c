using System.Runtime.InteropServices;
using Inference.Kernels;

namespace Inference.Models.Tests;

/// <summary>What <see cref="GgufFileWriter"/> writes is what <see cref="GgufFile"/> reads.</summary>
public class GgufFileWriterTests
{
    private static readonly float[] Vector = [0.5f, -1, 3];

    [Fact]
    public void Every_kind_of_metadata_comes_back()
    {
        using var temporary = new TempFolder();
        GgufMetadata metadata = new GgufMetadata()
            .Set("a.u8", (byte)200).Set("a.i8", (sbyte)-3).Set("a.u16", (ushort)65000).Set("a.i16", (short)-300)
            .Set("a.u32", 4000000000u).Set("a.i32", -70000).Set("a.u64", 1UL << 40).Set("a.i64", -(1L << 40))
            .Set("a.f32", 1e-5f).Set("a.f64", 0.1).Set("a.yes", true).Set("a.no", false).Set("a.string", "drei ▁ä").Set("a.none", "")
            .SetArray("a.strings", ["one", "", "drei ▁ä"]).SetArray<float>("a.floats", [0.5f, -1]).SetArray<int>("a.ints", [3, -1, 7])
            .SetArray<ushort>("a.shorts", [1, 2, 3]).SetArray<bool>("a.bools", [true, false]).SetArray<int>("a.empty", []).SetArray<double>("a.doubles", [0.25]);
        Write(temporary.File("a.gguf"), metadata);
        using GgufFile file = GgufFile.Open(temporary.File("a.gguf"));
        Assert.Equal(3, file.Version);
        Assert.Equal(metadata.Pairs.Select(pair => (pair.Key, pair.Type)), file.Metadata.Select(pair => (pair.Key, pair.Value.Type)));
        string[] integers = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"];
        Assert.Equal([200, -3, 65000, -300, 4000000000, -70000, 1L << 40, -(1L << 40)], integers.Select(k => file.RequireInteger("a." + k)));
        Assert.Equal((1e-5f, 0.1), ((float)file.RequireNumber("a.f32"), file.RequireNumber("a.f64")));
        Assert.Equal((true, false), (file.RequireBool("a.yes"), file.RequireBool("a.no")));
        Assert.Equal(("drei ▁ä", ""), (file.RequireString("a.string"), file.RequireString("a.none")));
        Assert.Equal(["one", "", "drei ▁ä"], file.RequireStringArray("a.strings"));
        Assert.Equal([0.5f, -1f], file.TryGetFloatArray("a.floats")!);
        Assert.Equal([3, -1, 7], file.TryGetIntArray("a.ints")!);
        Assert.Equal([1, 2, 3], file.TryGetIntArray("a.shorts")!);
        Assert.Equal("[2] true, false", file.Describe("a.bools"));
        Assert.Equal(0, file.ArrayLength("a.empty"));
        Assert.Equal([0.25f], file.TryGetFloatArray("a.doubles")!);
    }

    [Fact]
    public void Copied_metadata_is_the_same_byte_by_byte()
    {
        using var temporary = new TempFolder();
        // No UTF-8: as text it would not survive.
        byte[] odd = [0xff, 0xfe, 0x41];
        using TempFile original = new(GgufFileTests.Sample().Set("a.odd", odd).Set("a.odds", new[] { odd, odd }).ToArray());
        using GgufFile source = GgufFile.Open(original.Path);
        var metadata = new GgufMetadata();
        foreach (string key in source.Metadata.Keys) metadata.Copy(source, key);
        Write(temporary.File("copy.gguf"), metadata);
        using GgufFile copy = GgufFile.Open(temporary.File("copy.gguf"));
        Assert.Equal(source.Metadata.Keys, copy.Metadata.Keys);
        foreach (string key in source.Metadata.Keys)
        {
            Assert.Equal(source.Metadata[key] with { Offset = 0 }, copy.Metadata[key] with { Offset = 0 });
            Assert.True(source.RawValue(key).SequenceEqual(copy.RawValue(key)), key);
        }
    }

    [Theory, InlineData(0), InlineData(8), InlineData(4096)]
    public void Tensors_are_aligned_and_hold_what_was_written_in_any_order(int alignment)
    {
        using var temporary = new TempFolder();
        GgufMetadata metadata = new GgufMetadata().Set("general.architecture", "llama");
        if (alignment > 0) metadata.Set("general.alignment", (uint)alignment);
        string path = temporary.File("t.gguf");
        var random = new Random(5);
        byte[][] bytes = [MemoryMarshal.AsBytes(Vector.AsSpan()).ToArray(), new byte[34 * 3 * 2], new byte[144]];
        foreach (byte[] tensor in bytes[1..]) random.NextBytes(tensor);
        GgufTensorEntry[] entries = [new("vector", TensorType.F32, [3]), new("cube", TensorType.Q8_0, [32, 3, 2]), new("k", TensorType.Q4_K, [256, 1])];
        using (var writer = new GgufFileWriter(path, metadata, entries))
        {
            writer.Write(2, 0, bytes[2]);
            writer.Write(1, 34, bytes[1].AsSpan(34));
            writer.Write(0, 0, bytes[0]);
            writer.Write(1, 0, bytes[1].AsSpan(0, 34));
            Assert.False(File.Exists(path));
            writer.Commit();
            Assert.Equal(writer.Length, new FileInfo(path).Length);
        }
        using GgufFile file = GgufFile.Open(path);
        Assert.Equal(entries.Select(e => (e.Name, e.Type, e.Bytes)), file.Tensors.Select(t => (t.Name, t.Type, t.Bytes)));
        for (int i = 0; i < entries.Length; i++)
        {
            Assert.Equal(entries[i].Dims, file.Tensors[i].Dims);
            Assert.Equal(0, file.Tensors[i].Offset % (alignment > 0 ? alignment : 32));
            TensorSource source = file.Source(file.Tensors[i]);
            byte[] found = [.. Enumerable.Range(0, source.Rows).SelectMany(row => source.Row(row).ToArray())];
            Assert.Equal(bytes[i], found);
        }
        Assert.Equal(0, file.Length % (alignment > 0 ? alignment : 32));
    }

    [Fact]
    public void Without_commit_nothing_stays()
    {
        using var temporary = new TempFolder();
        using (var writer = new GgufFileWriter(temporary.File("a.gguf"), new GgufMetadata().Set("a", 1), [new("vector", TensorType.F32, [3])]))
            Assert.EndsWith(".tmp", Assert.Single(temporary.Files));
        Assert.Empty(temporary.Files);
    }

    [Fact]
    public void Folders_and_names_that_are_taken_are_refused()
    {
        using var temporary = new TempFolder();
        string missing = Path.Combine(temporary.Path, "nowhere", "a.gguf");
        Assert.Contains("there is no folder", Assert.Throws<DirectoryNotFoundException>(() => Write(missing, new GgufMetadata())).Message);
        Assert.Contains("a folder", Assert.Throws<IOException>(() => Write(temporary.Path, new GgufMetadata())).Message);
        Write(temporary.File("a.gguf"), new GgufMetadata());
        Assert.Contains("exists already", Assert.Throws<IOException>(() => Write(temporary.File("a.gguf"), new GgufMetadata())).Message);
        // More than any disk holds.
        var huge = new GgufTensorEntry("huge", TensorType.F32, [1L << 50]);
        string message = Assert.Throws<IOException>(() => new GgufFileWriter(temporary.File("b.gguf"), new GgufMetadata(), [huge])).Message;
        Assert.Contains("b.gguf: the disk is full", message);
        Assert.Equal(["a.gguf"], temporary.Files);
    }

    private static void Write(string path, GgufMetadata metadata)
    {
        using var writer = new GgufFileWriter(path, metadata, []);
        writer.Commit();
    }
}
