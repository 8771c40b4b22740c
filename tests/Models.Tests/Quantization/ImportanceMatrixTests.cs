using System.Text;
using Inference.Kernels;

namespace Inference.Models.Tests;

public class ImportanceMatrixTests
{
    private const string Up = "blk.0.ffn_up.weight", Experts = "blk.0.ffn_up_exps.weight";

    private static readonly StoredTensor Matrix = new(Up, 1, [4, 8], 0, 64), Cube = new(Experts, 1, [2, 8, 3], 0, 96), Other = new("blk.1.ffn_up.weight", 1, [4, 8], 0, 64);

    /// <summary>As llama-imatrix wrote them until 2025: values are means times calls.</summary>
    private static byte[] Legacy(params (string Name, int Calls, float[] Values)[] entries)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(entries.Length);
        foreach ((string name, int calls, float[] values) in entries)
        {
            writer.Write(name.Length);
            writer.Write(Encoding.ASCII.GetBytes(name));
            writer.Write(calls);
            writer.Write(values.Length);
            foreach (float value in values) writer.Write(value);
        }
        writer.Write(7);
        writer.Write(4);
        writer.Write("text"u8);
        return stream.ToArray();
    }

    [Fact]
    public void Reads_the_older_format()
    {
        using TempFile file = new(Legacy((Up, 2, [2, 4, 6, 0]), (Experts, 1, [1, 2, 3, 4, 5, 6])));
        var matrix = ImportanceMatrix.Read(file.Path);
        Assert.Equal(2, matrix.Count);
        Assert.Equal([1, 2, 3, 0], matrix.Of(Matrix)!);
        Assert.Equal([1, 2, 3, 4, 5, 6], matrix.Of(Cube)!);
        Assert.Null(matrix.Of(Other));
    }

    [Fact]
    public void Reads_the_newer_format()
    {
        GgufWriter writer = new GgufWriter().Set("general.type", "imatrix").Set("imatrix.chunk_count", 3u)
            .AddF32(Up + ".in_sum2", [4, 1], i => i * 10).AddF32(Up + ".counts", [1, 1], _ => 10)
            .AddF32(Experts + ".in_sum2", [2, 3], i => i + 1).AddF32(Experts + ".counts", [1, 3], i => i == 1 ? 0 : 2);
        using TempFile file = new(writer.ToArray());
        var matrix = ImportanceMatrix.Read(file.Path);
        Assert.Equal([0, 1, 2, 3], matrix.Of(Matrix)!);
        // An expert that met nothing counts evenly.
        Assert.Equal([0.5f, 1, 1, 1, 2.5f, 3], matrix.Of(Cube)!);
    }

    [Fact]
    public void What_is_wrong_is_named()
    {
        Fails(Legacy((Up, 1, [1, float.NaN])), Up);
        Fails(Legacy((Up, 1, [1, -1])), "0 or more");
        Fails(Legacy((Up, 1, [1]), (Up, 1, [1])), "a second one");
        Fails(Legacy((Up, 1, [1, 2, 3, 4]))[..30], "blk.0");
        Fails("hello, this is no importance matrix"u8.ToArray(), "an importance matrix");
        Fails([], "count of entries");
        Fails(new GgufWriter().Set("general.type", "model").ToArray(), "imatrix");
        Fails(new GgufWriter().Set("general.type", "imatrix").AddF32(Up + ".in_sum2", [4, 1], _ => 1).ToArray(), Up + ".counts");
        using TempFile other = new(Legacy((Up, 1, [1, 2, 3])));
        Assert.Contains("4 importances", Assert.Throws<ModelFormatException>(() => ImportanceMatrix.Read(other.Path).Of(Matrix)).Message);

        static void Fails(byte[] bytes, string message)
        {
            using TempFile file = new(bytes);
            Assert.Contains(message, Assert.Throws<ModelFormatException>(() => ImportanceMatrix.Read(file.Path)).Message);
        }
    }

    [Theory]
    [InlineData("Q4_0"), InlineData("Q5_1"), InlineData("Q2_K"), InlineData("Q3_K"), InlineData("Q4_K"), InlineData("IQ4_XS")]
    public void Important_columns_get_closer(string name)
    {
        TensorType type = Enum.Parse<TensorType>(name);
        var random = new Random(3);
        var row = new float[4096];
        var importance = new float[row.Length];
        for (int i = 0; i < row.Length; i++)
        {
            row[i] = (float)(random.NextDouble() + random.NextDouble() - 1);
            importance[i] = i % 4 == 0 ? 100 : 1;
        }
        Assert.True(Error(importance) < 0.8 * Error([]), $"{Error(importance)} of {Error([])}");

        double Error(float[] weights)
        {
            BlockEncoder encoder = BlockEncoder.Of(type);
            var blocks = new byte[row.Length / encoder.BlockElements * encoder.BlockBytes];
            encoder.Encode(row, weights, blocks);
            var decoded = new float[row.Length];
            TensorFormat.Of(type).Decode(blocks, decoded);
            return Math.Sqrt(Enumerable.Range(0, row.Length).Where(i => i % 4 == 0).Average(i => Math.Pow(decoded[i] - row[i], 2)));
        }
    }
}
