using System.Text.Json;
using Inference.Kernels;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>Encoders against ggml's own error on the same input (<c>../shared/conformance/quants</c>), with 2 % slack.</summary>
public class EncoderTests
{
    public static TheoryData<string> Types => [.. BlockEncoder.All.Select(encoder => encoder.Type.ToString()).Where(name => name != "F32")];

    [Theory, MemberData(nameof(Types))]
    public void Error_is_no_larger_than_ggmls(string name)
    {
        string folder = SharedData.Require("conformance", "quants");
        var index = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Path.Combine(folder, "index.json")));
        JsonElement entry = index.GetProperty("types").EnumerateArray().First(e => e.GetProperty("type").GetString() == name);
        int rows = index.GetProperty("rows").GetInt32(), columns = index.GetProperty("cols").GetInt32();
        float[] input = new float[rows * columns];
        Buffer.BlockCopy(File.ReadAllBytes(Path.Combine(folder, "input.f32.bin")), 0, input, 0, input.Length * 4);
        BlockEncoder encoder = BlockEncoder.Of(Enum.Parse<TensorType>(name));
        for (int row = 0; row < rows; row++)
        {
            double limit = entry.GetProperty("rel_rmse_per_row")[row].GetDouble() * 1.02;
            double found = RelativeError(encoder, input.AsSpan(row * columns, columns));
            TestContext.Current.TestOutputHelper!.WriteLine($"{name} row {row}: {found:g5}, ggml {limit / 1.02:g5}, ratio {found / limit * 1.02:f4}");
            Assert.True(found <= limit, $"{name} row {row}: {found}, ggml {limit / 1.02}");
        }
    }

    private static double RelativeError(BlockEncoder encoder, ReadOnlySpan<float> row)
    {
        var blocks = new byte[row.Length / encoder.BlockElements * encoder.BlockBytes];
        encoder.Encode(row, [], blocks);
        var decoded = new float[row.Length];
        TensorFormat.Of(encoder.Type).Decode(blocks, decoded);
        double error = 0, total = 0;
        for (int i = 0; i < row.Length; i++)
        {
            error += Math.Pow(decoded[i] - row[i], 2);
            total += Math.Pow(row[i], 2);
        }
        return Math.Sqrt(error / total);
    }
}
