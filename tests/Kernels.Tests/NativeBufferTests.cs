using Xunit;

namespace Inference.Kernels.Tests;

/// <summary>Memory outside the collector's: parts, alignment, and who frees it when.</summary>
public sealed unsafe class NativeBufferTests
{
    [Fact]
    public void Parts_outlive_the_whole_and_keep_their_bytes()
    {
        var whole = new NativeBuffer(4096);
        NativeBuffer first = whole.Part(0, 100), second = whole.Part(128, 3968);
        Assert.Equal((nint)whole.Pointer + 128, (nint)second.Pointer);
        new Span<byte>(first.Pointer, 100).Fill(1);
        new Span<byte>(second.Pointer, 3968).Fill(2);
        whole.Dispose();
        whole.Dispose();
        first.Dispose();
        first.Dispose();
        Assert.Equal((0, 0, 3968), (whole.Bytes, first.Bytes, second.Bytes));
        // Were the memory free, this allocation could take its place.
        using var other = new NativeBuffer(4096);
        new Span<byte>(other.Pointer, 4096).Fill(3);
        Assert.Equal(-1, new ReadOnlySpan<byte>(second.Pointer, 3968).IndexOfAnyExcept((byte)2));
        second.Dispose();
        Assert.True(second.Pointer == null);
    }

    [Theory]
    [InlineData(-64, 64)]
    [InlineData(32, 64)]
    [InlineData(0, 4097)]
    [InlineData(4096, 1)]
    [InlineData(64, -1)]
    public void A_part_lies_within_the_whole(long offset, long bytes)
    {
        using var whole = new NativeBuffer(4096);
        Assert.Throws<ArgumentOutOfRangeException>(() => whole.Part(offset, bytes));
    }

    [Fact]
    public void Weights_lie_side_by_side()
    {
        using var memory = new WeightMemory();
        byte* end = null;
        NativeBuffer[] weights = [.. new long[] { 100, 3 << 20, 64, (2 << 20) + 1, 1 << 20 }.Select(memory.Allocate)];
        foreach (NativeBuffer weight in weights)
        {
            if (end != null) Assert.InRange(weight.Pointer - end, 0, 63);
            end = weight.Pointer + weight.Bytes;
            weight.Dispose();
            Assert.True(weight.Pointer == null);
        }
    }

    [Fact]
    public void A_weight_that_is_taken_back_leaves_its_place_to_the_next()
    {
        using var memory = new WeightMemory();
        foreach (long size in new long[] { 1000, 1 << 20, 20 << 20 })
        {
            using NativeBuffer kept = memory.Allocate(640);
            byte* next = kept.Pointer + 640;
            memory.Allocate(size).Dispose();
            memory.TakeBack();
            using NativeBuffer taken = memory.Allocate(64);
            Assert.Equal((nint)next, (nint)taken.Pointer);
        }
    }

    [Fact]
    public void Weights_never_overlap_and_live_on_when_the_memory_is_given_up()
    {
        var random = new Random(1);
        var memory = new WeightMemory();
        List<(NativeBuffer Buffer, byte Value)> live = [];
        for (int i = 0; i < 400; i++)
        {
            long bytes = random.Next(40) == 0 ? random.Next(2 << 20, 20 << 20) : random.Next(1, 1 << 20);
            NativeBuffer buffer = memory.Allocate(bytes);
            Assert.Equal((bytes, 0), (buffer.Bytes, (nint)buffer.Pointer % 64));
            new Span<byte>(buffer.Pointer, (int)bytes).Fill((byte)i);
            live.Add((buffer, (byte)i));
            if (live.Count < 30) continue;
            int leaves = random.Next(live.Count);
            live[leaves].Buffer.Dispose();
            live.RemoveAt(leaves);
        }
        memory.Dispose();
        foreach ((NativeBuffer buffer, byte value) in live)
        {
            Assert.Equal(-1, new ReadOnlySpan<byte>(buffer.Pointer, (int)buffer.Bytes).IndexOfAnyExcept(value));
            buffer.Dispose();
        }
    }
}
