namespace Inference.Kernels.Cases;

/// <summary>The operation cases, small ones for tests and <c>check</c>, large ones for <c>bench ops</c>.</summary>
internal static class AllCases
{
    private static AttentionShape Shape(int heads, int kvHeads, int dim, RopeStyle style = RopeStyle.Interleaved) => new(heads, kvHeads, dim, dim, dim, style, 1 / MathF.Sqrt(dim));

    /// <summary>Formats that models come in often; the others get fewer shapes.</summary>
    private static readonly TensorType[] Common =
    [
        TensorType.F32, TensorType.F16, TensorType.BF16, TensorType.Q8_0, TensorType.Q4_0, TensorType.Q4_K, TensorType.Q5_K, TensorType.Q6_K, TensorType.IQ4_XS,
        TensorType.MXFP4, TensorType.Q2_K,
    ];

    /// <summary>Every operation and format on shapes that a simulator finishes in seconds, odd sizes included.</summary>
    public static IEnumerable<OperationCase> Small()
    {
        foreach (TensorFormat format in TensorFormat.All)
        {
            int k = Math.Max(format.BlockElements, 32);
            yield return ProductCases.LinearAdd(format, 1, 2 * k, 33);
            yield return ProductCases.LinearAdd(format, 19, 3 * k, 17, bias: true);
            yield return ProductCases.LinearAdd(format, 2, k, 48, exact: true);
            yield return ProductCases.Embed(format, 3, 2 * k, 50);
            if (!Common.Contains(format.Type)) continue;
            yield return ProductCases.LinearAdd(format, 5, k, 80, bias: true);
            yield return ProductCases.Logits(format, 5, 2 * k, 131);
        }
        TensorFormat[] mixed = [TensorFormat.Of(TensorType.Q4_K), TensorFormat.Of(TensorType.F16), TensorFormat.Of(TensorType.Q6_K)];
        for (int i = 0; i < 3; i++) yield return ProductCases.NormLinear(mixed, 3, 256, [64, 32, 48], i, bias: i == 1);
        yield return ProductCases.GateUp(3, 96);
        foreach (KvType type in Enum.GetValues<KvType>())
        {
            yield return AttentionCases.Create(Shape(4, 2, 64), [(0, 1), (15, 1), (37, 1)], 16, type);
            yield return AttentionCases.Create(Shape(4, 1, 32, RopeStyle.Half), [(0, 21), (30, 5)], 16, type, qkNorm: true);
            yield return AttentionCases.Create(Shape(3, 3, 128), [(290, 1), (250, 9)], 32, type);
            yield return AttentionCases.Create(Shape(14, 2, KvLayout.IsQuantized(type) ? 32 : 16), [(5, 3)], 16, type);
            // K and V of different types, and dims of several blocks.
            foreach (KvType value in Enum.GetValues<KvType>())
                if (value != type) yield return AttentionCases.Create(new AttentionShape(6, 2, 64, 96, 32, RopeStyle.Half, 0.15f), [(40, 1), (17, 11)], 32, type, valueType: value);
        }
        yield return AttentionCases.Create(Shape(8, 1, 64), [(600, 2)], 64, KvType.F16);
        // Value heads wider than key heads, part of the dims rotated, a group of 9, more rows than a tile.
        yield return AttentionCases.Create(new AttentionShape(9, 1, 32, 80, 20, RopeStyle.Half, 0.2f), [(3, 40), (270, 1)], 48, KvType.F32);
        yield return AttentionCases.Create(new AttentionShape(4, 2, 48, 16, 12, RopeStyle.Interleaved, 0.2f), [(500, 30)], 256, KvType.F16, qkNorm: true);
        yield return AttentionCases.Create(Shape(6, 2, 80, RopeStyle.Half), [(20, 4)], 16, KvType.F16);
    }

    /// <summary>Shapes of real models, for timing.</summary>
    public static IEnumerable<OperationCase> Large()
    {
        foreach (TensorFormat format in TensorFormat.All)
            foreach (int tokens in Common.Contains(format.Type) ? (int[])[1, 8, 128] : [1, 8])
                yield return ProductCases.LinearAdd(format, tokens, 2048, 5632);
        foreach (KvType type in Enum.GetValues<KvType>())
        {
            yield return AttentionCases.Create(Shape(32, 4, 64), [(2047, 1)], 16, type);
            yield return AttentionCases.Create(Shape(16, 8, 128), [.. Enumerable.Repeat((1023, 1), 8)], 16, type);
            yield return AttentionCases.Create(Shape(32, 4, 64), [(0, 512)], 16, type);
        }
        yield return ProductCases.GateUp(128, 5632);
    }
}
