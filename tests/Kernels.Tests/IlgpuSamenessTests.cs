using Inference.Kernels.Cases;

namespace Inference.Kernels.Tests;

/// <summary>A row's result has the same bits alone, beside other rows, and in every cut of its sequence.</summary>
public abstract class IlgpuSamenessTests(IlgpuFixture fixture, int length)
{
    public static TheoryData<string> Formats => new(TensorFormat.All.Select(f => f.Name));

    [Theory, MemberData(nameof(Formats))]
    public void Products_are_the_same_for_any_number_of_tokens(string name)
    {
        const int tokens = 13, rows = 11;
        TensorFormat format = TensorFormat.All.Single(f => f.Name == name);
        KernelSet kernels = fixture.Kernels;
        int columns = 2 * Math.Max(256, format.BlockElements);
        using var tensor = new RandomTensor(format, rows, columns, 1);
        using Weight weight = kernels.LoadWeight(tensor.Source, exact: false);
        using ParameterVector gain = kernels.LoadVector(RandomTensor.Activations(columns, 2)), bias = kernels.LoadVector(RandomTensor.Activations(rows, 3));
        float[] values = RandomTensor.Activations(tokens * columns, 4);

        float[] Run(int first, int count)
        {
            StepBatch batch = ProductCases.Rows(count, 1, 1);
            batch.OutputCount = count;
            for (int i = 0; i < count; i++) batch.OutputRows[i] = i;
            using Activations x = kernels.AllocateActivations(count, columns), y = kernels.AllocateActivations(count, rows), z = kernels.AllocateActivations(count, rows);
            kernels.Fill(x, values.AsSpan(first * columns, count * columns));
            kernels.Upload(batch);
            kernels.NormLinear(batch, x, gain, 1e-5f, [new Projection(weight, bias, y)]);
            kernels.LinearAdd(batch, x, weight, null, y);
            kernels.Logits(batch, 0, count, x, gain, 1e-5f, weight, z);
            return [.. kernels.Download(y, count), .. kernels.Download(z, count)];
        }

        float[] all = Run(0, tokens);
        foreach ((int first, int count) in (ReadOnlySpan<(int, int)>)[(0, 1), (12, 1), (3, 2), (5, 3), (1, 4), (4, 6), (2, 8)])
        {
            float[] some = Run(first, count), expected = [.. all.Skip(first * rows).Take(count * rows), .. all.Skip((tokens + first) * rows).Take(count * rows)];
            Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), some.Select(BitConverter.SingleToInt32Bits));
        }
        fixture.CheckBounds();
    }

    [Theory]
    [InlineData(4, 2, 32, KvType.F16)]
    [InlineData(7, 1, 16, KvType.F32)]
    [InlineData(2, 2, 80, KvType.F16)]
    [InlineData(10, 1, 16, KvType.F16)]
    [InlineData(4, 2, 32, KvType.BF16)]
    [InlineData(3, 1, 64, KvType.Q8_0)]
    [InlineData(4, 2, 96, KvType.Q4_0)]
    internal void Attention_is_the_same_in_any_chunks_and_beside_other_sequences(int heads, int kvHeads, int dim, KvType type)
    {
        var shape = new AttentionShape(heads, kvHeads, dim, dim, dim, RopeStyle.Half, 1 / MathF.Sqrt(dim));
        int decoded = length - 5;
        var attention = new AttentionSteps(fixture.Kernels, shape, type, type);
        // One prefill; then chunks of odd sizes and single tokens; then the same beside a shorter and a longer sequence, with other blocks.
        Dictionary<(int, int), float[]> whole = attention.Run(16, [(0, 0, length)]);
        Dictionary<(int, int), float[]> chunks = attention.Run(32, [[(0, 0, 7)], [(0, 7, 250)], [(0, 257, decoded - 257)], .. Singles(0, decoded, length)]);
        Dictionary<(int, int), float[]> batched = attention.Run(16, [[(1, 0, 3), (0, 0, 100), (2, 0, 40)], [(2, 40, 230), (0, 100, 150), (1, 3, 1)],
            [(0, 250, decoded - 250), (1, 4, 2)], .. Enumerable.Range(0, 5).Select(i => ((int, int, int)[])[(1, 6 + i, 1), (2, 270 + i, 1), (0, decoded + i, 1)])]);
        foreach (Dictionary<(int, int), float[]> other in (Dictionary<(int, int), float[]>[])[chunks, batched])
            for (int p = 0; p < length; p++)
                Assert.True(whole[(0, p)].AsSpan().SequenceEqual(other[(0, p)]), $"position {p} differs");
        Assert.All(whole.Values, v => Assert.All(v, x => Assert.True(float.IsFinite(x))));
        fixture.CheckBounds();
    }

    private static IEnumerable<(int, int, int)[]> Singles(int sequence, int from, int to) => Enumerable.Range(from, to - from).Select(p => ((int, int, int)[])[(sequence, p, 1)]);
}

[Collection(nameof(SimulatorFixture))]
public sealed class IlgpuSimulatorSamenessTests(SimulatorFixture fixture) : IlgpuSamenessTests(fixture, 270);

[Collection(nameof(QuartetFixture))]
public sealed class IlgpuQuartetSamenessTests(QuartetFixture fixture) : IlgpuSamenessTests(fixture, 270);

[Collection(nameof(OpenClFixture))]
public sealed class IlgpuOpenClSamenessTests(OpenClFixture fixture) : IlgpuSamenessTests(fixture, 600);

[Collection(nameof(CudaFixture))]
public sealed class IlgpuCudaSamenessTests(CudaFixture fixture) : IlgpuSamenessTests(fixture, 600);
