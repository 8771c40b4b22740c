using Inference.Kernels;

namespace Inference.Models.Tests;

/// <summary>Scaled rotary embedding against llama.cpp: the tiny models with extra metadata, its logits of the last of the 24 prompt tokens (F32 KV, no flash attention).</summary>
public class RopeScalingTests
{
    private static RopeSpec Read(string architecture, params (string Key, object Value)[] scaling)
    {
        GgufWriter writer = TinyModel.Writer(architecture);
        foreach ((string key, object value) in scaling) writer.Set($"{architecture}.rope.{key}", value);
        using var file = new TempFile(writer.ToArray());
        using LoadedModel model = LoadedModel.Load(file.Path, new StubKernels());
        return model.Spec.Rope;
    }

    private static void Check(string name, Func<RopeSpec, RopeSpec> scale, params (int Id, float Logit)[] expected)
    {
        string folder = ConformanceModel.RequireFolder();
        ConformanceModel reference = ConformanceModel.Load(folder).Models.Single(m => m.Name == name);
        using var kernels = new ReferenceKernels();
        using LoadedModel model = LoadedModel.Load(reference.Path, kernels, new(Exact: true));
        using var sequence = new SequenceRun(model, kernels, KvType.F32, reference.Prompt.Length, spec: model.Spec with { Rope = scale(model.Spec.Rope) });
        float[] logits = sequence.Append(reference.Prompt);
        foreach ((int id, float logit) in expected) Assert.Equal(logit, logits[logits.Length - reference.Vocabulary + id], 5e-5f);
    }

    [Fact]
    public void Linear()
    {
        RopeSpec read = Read("llama", ("scaling.type", "linear"), ("scaling.factor", 4f));
        Assert.Equal((4, null, 1), (read.Scaling, read.Yarn, read.Amplitude));
        Assert.Equal(4, Read("llama", ("scale_linear", 4f)).Scaling);
        Assert.Equal(1, Read("llama", ("scaling.type", "none"), ("scaling.factor", 4f)).Scaling);
        Assert.Equal(1, Read("llama", ("scaling.factor", 0f)).Scaling);
        Check("tiny-llama-256-F16", rope => rope with { Scaling = read.Scaling }, (0, 0.87737f), (100, 0.18389f), (300, -0.01164f), (511, -0.57095f));
    }

    [Fact]
    public void Factors_per_frequency() =>
        Check("tiny-llama-256-F16", rope => rope with { FrequencyFactors = [.. Enumerable.Range(1, 32).Select(i => (float)i)] }, (0, 0.81489f), (100, 0.46256f), (300, 0.33444f), (511, -0.50366f));

    [Fact]
    public void Yarn()
    {
        RopeSpec read = Read("qwen3", ("scaling.type", "yarn"), ("scaling.factor", 4f), ("scaling.original_context_length", 64u));
        Assert.Equal(new YarnSpec(64), read.Yarn);
        Check("tiny-qwen3-256-F16", rope => rope with { Scaling = read.Scaling, Yarn = read.Yarn, Amplitude = read.Amplitude }, (0, -0.92075f), (100, 0.16619f), (300, 0.18793f), (511, -0.31966f));
    }

    [Fact]
    public void Yarn_with_an_attention_factor()
    {
        RopeSpec read = Read("qwen3", ("scaling.type", "yarn"), ("scaling.factor", 2.5f), ("scaling.original_context_length", 512u), ("scaling.attn_factor", 0.8f));
        Check("tiny-qwen3-256-F16", rope => rope with { Scaling = read.Scaling, Yarn = read.Yarn, Amplitude = read.Amplitude }, (0, 0.08343f), (100, 0.51753f), (300, -0.23665f), (511, 1.02557f));
    }

    [Theory, InlineData("yarn_ext_factor", 0.5f), InlineData("yarn_attn_factor", 2f), InlineData("yarn_log_multiplier", 0.1f), InlineData("yarn_beta_fast", -1f)]
    public void Other_variants_are_refused_by_key(string key, float value)
    {
        var error = Assert.Throws<ModelFormatException>(() => Read("qwen2", ("scaling.type", "yarn"), ("scaling.factor", 4f), ("scaling." + key, value)));
        Assert.Equal("qwen2.rope.scaling." + key, error.Key);
    }
}
