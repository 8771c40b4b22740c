using System.Runtime.InteropServices;
using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Kernels.Tests;

public class FormatTests
{
    public static TheoryData<string> Names => new(TensorFormat.All.Select(f => f.Name));

    /// <summary>Every type that ggml made data of, value for value; what is printed counts the values that agree.</summary>
    [Fact]
    public void Every_type_decodes_like_ggml_bit_for_bit()
    {
        string folder = SharedData.Require("conformance", "quants");
        using JsonDocument index = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "index.json")));
        List<string> counts = [];
        bool all = true;
        foreach (JsonElement entry in index.RootElement.GetProperty("types").EnumerateArray())
        {
            string name = entry.GetProperty("type").GetString()!;
            TensorFormat? format = TensorFormat.All.SingleOrDefault(f => f.Name == name);
            Assert.True(format is not null, "no format " + name);
            Assert.Equal((entry.GetProperty("ggml_type").GetInt32(), entry.GetProperty("block_size").GetInt32(), entry.GetProperty("type_size").GetInt32()),
                ((int)format.Type, format.BlockElements, format.BlockBytes));
            byte[] blocks = File.ReadAllBytes(Path.Combine(folder, entry.GetProperty("quantized").GetString()!));
            byte[] expected = File.ReadAllBytes(Path.Combine(folder, entry.GetProperty("dequantized").GetString()!));
            var values = new float[expected.Length / 4];
            Assert.Equal(4 * 512, values.Length);
            format.Decode(blocks, values);
            int right = MemoryMarshal.Cast<byte, int>(expected).ToArray().Zip(values.Select(BitConverter.SingleToInt32Bits)).Count(p => p.First == p.Second);
            all &= right == values.Length;
            counts.Add($"{name} {right}/{values.Length}");
        }
        string line = $"{counts.Count} types, bit-exact values: {string.Join(", ", counts)}";
        ConformanceLog.Write("quants", line);
        Assert.True(all, line);
        Assert.Equal(TensorFormat.All.Count - 1, counts.Count); // F32 needs no data
    }

    /// <summary>Any bytes decode, whatever row numbers they hold, and several blocks at once as one after the other.</summary>
    [Theory, MemberData(nameof(Names))]
    public void Any_bytes_decode(string name)
    {
        TensorFormat format = TensorFormat.All.Single(f => f.Name == name);
        const int count = 64;
        var blocks = new byte[count * format.BlockBytes];
        new Random(1).NextBytes(blocks);
        blocks.AsSpan(0, format.BlockBytes).Fill(255);
        float[] together = new float[count * format.BlockElements], single = new float[format.BlockElements];
        format.Decode(blocks, together);
        for (int i = 0; i < count; i++)
        {
            format.Decode(blocks.AsSpan(i * format.BlockBytes, format.BlockBytes), single);
            Assert.Equal(single.Select(BitConverter.SingleToInt32Bits), together.Skip(i * single.Length).Take(single.Length).Select(BitConverter.SingleToInt32Bits));
        }
    }
}
