using System.Runtime.InteropServices;
using Inference.Tests.Shared;

namespace Inference.Kernels.Tests;

public class FormatTests
{
    public static TheoryData<string> Names => new(TensorFormat.All.Select(f => f.Name));

    [Theory, MemberData(nameof(Names))]
    public void Decodes_like_ggml_bit_for_bit(string name)
    {
        TensorFormat format = TensorFormat.All.Single(f => f.Name == name);
        string folder = SharedData.Require("conformance", "quants");
        Assert.SkipUnless(name == "F32" || File.Exists(Path.Combine(folder, name + ".q.bin")), "no data for " + name);
        byte[] blocks = File.ReadAllBytes(Path.Combine(folder, name == "F32" ? "input.f32.bin" : name + ".q.bin"));
        float[] expected = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(folder, name == "F32" ? "input.f32.bin" : name + ".f32.bin"))).ToArray();
        var actual = new float[expected.Length];
        format.Decode(blocks, actual);
        Assert.Equal(4 * 512, expected.Length);
        Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), actual.Select(BitConverter.SingleToInt32Bits));
    }
}
