namespace Inference.Kernels.Tests;

/// <summary>What attention on the host promises beside its numbers: no managed allocation once warm, and exceptions instead of wild pointers.</summary>
public class SimdAttentionContractTests
{
    private static readonly AttentionShape Shape = new(4, 2, 32, 32, 32, RopeStyle.Half, 0.2f);
    private static readonly KvLayout Layout = new(1, 2, 32, 32, 16, KvType.F16, KvType.F16);

    private static StepBatch OneSequence(int rows)
    {
        var batch = new StepBatch(new StepCapacity(rows, 1, (rows + 15) / 16, 32)) { RowCount = rows, SequenceCount = 1 };
        (batch.QueryCount[0], batch.KvLength[0]) = (rows, rows);
        for (int b = 0; b < (rows + 15) / 16; b++) batch.SetBlock(0, b, b);
        for (int r = 0; r < rows; r++) batch.Positions[r] = batch.Slots[r] = r;
        return batch;
    }

    [Fact]
    public void Warm_calls_allocate_nothing()
    {
        using var kernels = new SimdKernels(SimdLevels.Best, 2);
        const int rows = 530;
        StepBatch prompt = OneSequence(rows), decode = OneSequence(1);
        using KvPages pages = kernels.AllocatePages(Layout, 40);
        using Activations q = kernels.AllocateActivations(rows, 128), k = kernels.AllocateActivations(rows, 64), v = kernels.AllocateActivations(rows, 64), output = kernels.AllocateActivations(rows, 128);
        void Step(StepBatch batch)
        {
            kernels.Upload(batch);
            kernels.QkvRopeWrite(batch, Shape, q, k, v, null, null, 0, pages, 0);
            kernels.PagedAttention(batch, Shape, q, pages, 0, output);
            kernels.GateUpActivation(batch, q, output, output);
        }
        Step(prompt);
        Step(decode);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
        {
            Step(decode);
            Step(prompt);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(KvType.Q8_0, KvType.F16, "keys of 48 dims a head cannot be stored as Q8_0: expected a multiple of 32")]
    [InlineData(KvType.F16, KvType.Q4_0, "values of 80 dims a head cannot be stored as Q4_0: expected a multiple of 32")]
    internal void Quantised_pages_of_other_dims_are_refused_by_number(KvType key, KvType value, string message)
    {
        using var kernels = new SimdKernels(SimdLevel.Portable, 1);
        using var reference = new ReferenceKernels();
        KvLayout layout = Layout with { KeyDim = 48, ValueDim = 80, KeyType = key, ValueType = value };
        Assert.Equal(message, Assert.Throws<ArgumentException>(() => kernels.AllocatePages(layout, 1)).Message);
        Assert.Equal(message, Assert.Throws<ArgumentException>(() => reference.AllocatePages(layout, 1)).Message);
    }

    [Theory]
    [InlineData(KvType.F32, 4 * 96 * 3)]
    [InlineData(KvType.F16, 2 * 96 * 3)]
    [InlineData(KvType.BF16, 2 * 96 * 3)]
    [InlineData(KvType.Q8_0, 3 * 34 * 3)]
    [InlineData(KvType.Q4_0, 3 * 18 * 3)]
    internal void Tokens_take_what_their_type_says(KvType type, int bytes) => Assert.Equal(2 * bytes, new KvLayout(1, 3, 96, 96, 16, type, type).BytesPerToken);

    [Theory]
    [InlineData(24, 32, 16, "KeyDim")]
    [InlineData(32, 0, 16, "ValueDim")]
    [InlineData(32, 32, 8, "BlockSize")]
    [InlineData(32, 32, 272, "BlockSize")]
    public void Pages_of_impossible_shapes_are_refused_by_name(int keyDim, int valueDim, int blockSize, string name)
    {
        using var kernels = new SimdKernels(SimdLevel.Portable, 1);
        var e = Assert.Throws<ArgumentException>(() => kernels.AllocatePages(Layout with { KeyDim = keyDim, ValueDim = valueDim, BlockSize = blockSize }, 1));
        Assert.Contains(name, e.Message);
    }

    [Fact]
    public void Operands_that_do_not_fit_are_refused()
    {
        using var kernels = new SimdKernels(SimdLevel.Portable, 1);
        using KvPages pages = kernels.AllocatePages(Layout, 1);
        using Activations wide = kernels.AllocateActivations(16, 128), narrow = kernels.AllocateActivations(16, 64);
        StepBatch batch = OneSequence(16);
        Assert.Contains("columns", Assert.Throws<ArgumentException>(() => kernels.PagedAttention(batch, Shape, narrow, pages, 0, wide)).Message);
        Assert.Contains("kv heads", Assert.Throws<ArgumentException>(() => kernels.PagedAttention(batch, Shape with { KvHeads = 1 }, wide, pages, 0, wide)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => kernels.PagedAttention(batch, Shape, wide, pages, 1, wide));
        batch.Slots[3] = 16;
        Assert.Contains("slot 16", Assert.Throws<ArgumentException>(() => kernels.QkvRopeWrite(batch, Shape, wide, narrow, narrow, null, null, 0, pages, 0)).Message);
        batch.BlockTables[0] = 1;
        Assert.Contains("block 1 of 1", Assert.Throws<ArgumentException>(() => kernels.PagedAttention(batch, Shape, wide, pages, 0, wide)).Message);
    }
}
