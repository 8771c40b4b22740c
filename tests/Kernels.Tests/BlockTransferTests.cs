namespace Inference.Kernels.Tests;

/// <summary>Blocks as opaque bytes: what is written is read again, copied whole, and leaves the neighbours alone.</summary>
public class BlockTransferTests
{
    private static readonly KvLayout Floats = new(Layers: 3, KvHeads: 2, KeyDim: 32, ValueDim: 16, BlockSize: 32, KvType.F16, KvType.F32);
    private static readonly KvLayout Quantized = new(Layers: 2, KvHeads: 3, KeyDim: 32, ValueDim: 96, BlockSize: 16, KvType.Q4_0, KvType.Q8_0);

    [Fact]
    public void Reference() => Check(new ReferenceKernels());

    [Fact]
    public void Simd() => Check(new SimdKernels(SimdLevels.Best, 1));

    [Fact]
    public void Ilgpu()
    {
        using Device device = DeviceCatalog.Open(new DeviceOptions { Name = "ilgpu-cpu" });
        Check(device.Kernels);
    }

    private static void Check(KernelSet kernels)
    {
        foreach (KvLayout layout in (KvLayout[])[Floats, Quantized]) Check(kernels, layout);
    }

    private static void Check(KernelSet kernels, KvLayout layout)
    {
        const int blocks = 5;
        using KvPages pages = kernels.AllocatePages(layout, blocks);
        pages.FillWithNaN();
        int size = (int)pages.BytesPerBlock;
        Assert.True(size >= layout.BytesPerBlock);
        var random = new Random(1);
        var expected = new byte[blocks][];
        for (int block = 0; block < blocks; block++)
        {
            expected[block] = new byte[size];
            random.NextBytes(expected[block]);
            kernels.WriteBlock(pages, block, expected[block]);
        }
        AssertHolds();
        kernels.CopyBlock(pages, 1, 3);
        expected[3] = expected[1];
        AssertHolds();
        kernels.WriteBlock(pages, 1, expected[4]);
        expected[1] = expected[4];
        AssertHolds();
        Assert.ThrowsAny<ArgumentException>(() => kernels.CopyBlock(pages, 0, blocks));

        void AssertHolds()
        {
            var actual = new byte[size];
            for (int block = 0; block < blocks; block++)
            {
                kernels.ReadBlock(pages, block, actual);
                Assert.Equal(expected[block], actual);
            }
        }
    }
}
