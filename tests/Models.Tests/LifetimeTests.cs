using System.Buffers.Binary;
using Inference.Kernels;

namespace Inference.Models.Tests;

public class LifetimeTests
{
    private sealed class Recorder(Action<LoadProgress> report) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => report(value);
    }

    [Theory, InlineData("llama", false), InlineData("qwen2", true), InlineData("qwen3", true)]
    public void Disposing_a_model_frees_every_weight_once(string architecture, bool tied)
    {
        var kernels = new StubKernels();
        using var file = new TempFile(TinyModel.Writer(architecture, tied).ToArray());
        List<LoadProgress> progress = [];
        LoadedModel model = LoadedModel.Load(file.Path, kernels, new(Progress: new Recorder(progress.Add)));
        Assert.Equal(kernels.Made, progress.Count);
        Assert.Equal(kernels.Made, kernels.Alive);
        Assert.Equal(progress[^1].TotalBytes, progress[^1].Bytes);
        Assert.Equal(progress.Select(p => p.Bytes).Order(), progress.Select(p => p.Bytes));
        model.Dispose();
        Assert.Equal(0, kernels.Alive);
    }

    [Fact]
    public void A_failure_half_way_frees_what_was_packed()
    {
        using var file = new TempFile(TinyModel.Writer("qwen2").ToArray());
        var whole = new StubKernels();
        LoadedModel.Load(file.Path, whole).Dispose();
        for (int failAfter = 0; failAfter < whole.Made; failAfter++)
        {
            var kernels = new StubKernels { FailAfter = failAfter };
            Assert.Throws<OutOfMemoryException>(() => LoadedModel.Load(file.Path, kernels));
            Assert.Equal((failAfter, 0), (kernels.Made, kernels.Alive));
        }
    }

    [Fact]
    public void Cancelling_frees_what_was_packed()
    {
        using var file = new TempFile(TinyModel.Writer("llama").ToArray());
        var kernels = new StubKernels();
        using var cancellation = new CancellationTokenSource();
        var options = new LoadOptions(Progress: new Recorder(_ =>
        {
            if (kernels.Made == 5) cancellation.Cancel();
        }));
        Assert.ThrowsAny<OperationCanceledException>(() => LoadedModel.Load(file.Path, kernels, options, cancellation.Token));
        Assert.Equal((5, 0), (kernels.Made, kernels.Alive));
    }

    [Fact]
    public void A_workspace_frees_its_buffers_also_when_one_fails()
    {
        var kernels = new StubKernels();
        using var file = new TempFile(TinyModel.Writer("llama").ToArray());
        using LoadedModel model = LoadedModel.Load(file.Path, kernels);
        int before = kernels.Alive;
        new Workspace(kernels, model.Spec, 4, 4).Dispose();
        Assert.Equal(before, kernels.Alive);
        var failing = new StubKernels { FailAfter = 3 };
        Assert.Throws<OutOfMemoryException>(() => new Workspace(failing, model.Spec, 4, 4));
        Assert.Equal(0, failing.Alive);
    }

    [Theory, InlineData(8, 4, 4), InlineData(8, 0, 1), InlineData(152_000, 512, 110), InlineData(40_000_000, 16, 1)]
    public void Logits_are_computed_in_chunks_of_64_MiB(int vocabulary, int outputRows, int expected)
    {
        using var file = new TempFile(TinyModel.Writer("llama").ToArray());
        using LoadedModel model = LoadedModel.Load(file.Path, new StubKernels());
        using var workspace = new Workspace(new StubKernels(), model.Spec with { Vocabulary = vocabulary }, 512, outputRows);
        Assert.Equal(expected, workspace.LogitRows);
    }

    [Fact]
    public void A_warm_step_allocates_nothing()
    {
        var kernels = new StubKernels();
        using var file = new TempFile(TinyModel.Writer("qwen2").ToArray());
        using LoadedModel model = LoadedModel.Load(file.Path, kernels);
        using var workspace = new Workspace(kernels, model.Spec, 8, 8);
        using KvPages pages = kernels.AllocatePages(model.Spec.CacheLayout(16, KvType.F16, KvType.F16), 1);
        var decoder = new Decoder(model.Spec, kernels);
        var batch = new StepBatch(new(8, 1, 1, model.Spec.Rope.Dims)) { RowCount = 8, SequenceCount = 1, OutputCount = 8 };
        Step();
        int operations = kernels.Operations;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++) Step();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(11 * operations, kernels.Operations);

        void Step()
        {
            decoder.PrepareRope(batch);
            decoder.Forward(batch, model.Weights, pages, workspace);
            decoder.Logits(batch, 0, 8, model.Weights, workspace);
        }
    }

    [Fact]
    public void Rope_turns_keep_their_angle_far_out()
    {
        using var file = new TempFile(TinyModel.Writer("llama").ToArray());
        using LoadedModel model = LoadedModel.Load(file.Path, new StubKernels());
        var batch = new StepBatch(new(2, 1, 1, 16)) { RowCount = 2 };
        batch.Positions[1] = 1_000_000;
        new Decoder(model.Spec, new StubKernels()).PrepareRope(batch);
        for (int i = 0; i < 8; i++) Assert.Equal((1f, 0f), (batch.Rope[2 * i], batch.Rope[2 * i + 1]));
        // 1e6 * 10000^(-i/8) radians for i = 0, 2, 4: cosines and sines of 1e6, 1e5 and 1e4, from a table of 30 digits.
        (int Pair, double Cos, double Sin)[] known = [(0, 0.936752127533, -0.349993502171), (2, -0.999360807438, 0.035748797987), (4, -0.952155368259, -0.305614388888)];
        foreach ((int pair, double cos, double sin) in known)
        {
            Assert.Equal(cos, batch.Rope[16 + 2 * pair], 1e-6);
            Assert.Equal(sin, batch.Rope[16 + 2 * pair + 1], 1e-6);
        }
    }

    [Fact]
    public void Random_damage_to_a_model_is_a_typed_error_or_harmless()
    {
        byte[] whole = TinyModel.Writer("qwen3").ToArray();
        int header = whole.Length - TinyModel.Writer("qwen3").Tensors.Sum(t => t.Data.Length);
        var random = new Random(4711);
        int refused = 0;
        for (int round = 0; round < 400; round++)
        {
            byte[] bytes = [.. whole];
            int at = random.Next(header - 8);
            if (random.Next(3) > 0) bytes[at] ^= (byte)(1 << random.Next(8));
            else BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), (uint)random.NextInt64() >> random.Next(32));
            using var file = new TempFile(bytes);
            var kernels = new StubKernels();
            try
            {
                LoadedModel.Load(file.Path, kernels).Dispose();
            }
            catch (ModelFormatException)
            {
                refused++;
            }
            Assert.Equal(0, kernels.Alive);
        }
        Assert.InRange(refused, 200, 399);
    }
}
