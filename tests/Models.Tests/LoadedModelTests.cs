using Inference.Kernels;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

public class LoadedModelTests
{
    private static LoadedModel Load(GgufWriter writer)
    {
        using var file = new TempFile(writer.ToArray());
        return LoadedModel.Load(file.Path, new ReferenceKernels());
    }

    private static ModelFormatException Refused(GgufWriter writer)
    {
        using var file = new TempFile(writer.ToArray());
        var error = Assert.Throws<ModelFormatException>(() => LoadedModel.Load(file.Path, new ReferenceKernels()).Dispose());
        Assert.Equal(error.Message, Inspection.Of(file.Path).Refusal);
        return error;
    }

    [Theory, InlineData("llama"), InlineData("qwen2"), InlineData("qwen3")]
    public void Reads_the_numbers_and_defaults_of_an_architecture(string architecture)
    {
        RopeStyle style = architecture == "llama" ? RopeStyle.Interleaved : RopeStyle.Half;
        using LoadedModel model = Load(TinyModel.Writer(architecture));
        ModelSpec spec = model.Spec;
        Assert.Equal((2, 32, 2, 1, 16, 16, 64, 8, 128), (spec.Layers, spec.Hidden, spec.Heads, spec.KvHeads, spec.KeyDim, spec.ValueDim, spec.FeedForward, spec.Vocabulary, spec.Context));
        Assert.Equal((10000.0, 16, style, 1.0), (spec.Rope.Theta, spec.Rope.Dims, spec.Rope.Style, spec.Rope.Scaling));
        Assert.Equal((architecture == "qwen3", architecture == "qwen2", false), (spec.QkNorm, spec.QkvBias, spec.TiedHead));
        Assert.Equal(1e-5f, spec.RmsEpsilon);
        Assert.Equal(0.25f, spec.Attention.Scale);
        Assert.Equal("tiny " + architecture, model.Name);
        Assert.NotSame(model.Weights.TokenEmbedding, model.Weights.Head);
        Assert.Equal(architecture == "qwen2", model.Weights.Layers[1].KeyBias is not null);
        Assert.Equal(architecture == "qwen3", model.Weights.Layers[1].KeyNorm is not null);
    }

    [Fact]
    public void Explicit_numbers_win_over_defaults()
    {
        GgufWriter writer = TinyModel.Writer("qwen3").Set("qwen3.attention.key_length", 16u).Set("qwen3.rope.dimension_count", 8u).Set("qwen3.rope.freq_base", 1e6f);
        using LoadedModel model = Load(writer);
        Assert.Equal((8, 1e6), (model.Spec.Rope.Dims, model.Spec.Rope.Theta));
    }

    [Fact]
    public void A_tied_head_is_loaded_once()
    {
        using LoadedModel model = Load(TinyModel.Writer("llama", tied: true));
        Assert.True(model.Spec.TiedHead);
        Assert.Same(model.Weights.TokenEmbedding, model.Weights.Head);
    }

    [Fact]
    public void Kjv_5m_has_the_parameters_its_README_states()
    {
        using LoadedModel model = LoadedModel.Load(SharedData.Require("models", "kjv-5m", "kjv-5m-f16.gguf"), new ReferenceKernels());
        Assert.Equal(5_770_496, model.ParameterCount);
        Assert.Equal("kjv-5m", model.Name);
        Assert.Equal(["F16", "F32"], model.BytesByType.Keys.Order());
        Assert.Equal((6, 256, 4, 2, 64, 768, 4096, 512), (model.Spec.Layers, model.Spec.Hidden, model.Spec.Heads, model.Spec.KvHeads, model.Spec.KeyDim, model.Spec.FeedForward, model.Spec.Vocabulary, model.Spec.Context));
    }

    [Fact]
    public void Files_that_are_no_model_are_refused_by_name()
    {
        Assert.Equal("mmproj: a projector for images or sound (mmproj), which accompanies a model", Refused(TinyModel.Writer("llama").Set("general.type", "mmproj")).Found);
        Assert.Equal("clip: a projector for images or sound (mmproj), which accompanies a model", Refused(TinyModel.Writer("clip")).Found);
        Assert.Equal("adapter: a LoRA adapter, which accompanies a model", Refused(TinyModel.Writer("llama").Set("general.type", "adapter")).Found);
        Assert.Equal("imatrix: an importance matrix, which is for quantising a model", Refused(TinyModel.Writer("llama").Set("general.type", "imatrix")).Found);
        GgufWriter vocabulary = TinyModel.Writer("llama");
        vocabulary.Tensors.Clear();
        Assert.Equal("none beside a vocabulary of 8 tokens: the file can only tokenize", Refused(vocabulary).Found);
        ModelFormatException unknown = Refused(TinyModel.Writer("llama").Set("general.architecture", "mamba"));
        Assert.Equal(("one of llama, qwen2, qwen3", "mamba"), (unknown.Expected, unknown.Found));
        Assert.Equal("general.architecture", Refused(TinyModel.Writer("llama").Remove("general.architecture")).Key);
    }

    public static TheoryData<string, object?> BadNumbers => new()
    {
        { "llama.block_count", null },
        { "llama.block_count", 0u },
        { "llama.block_count", -1 },
        { "llama.block_count", "2" },
        { "llama.block_count", 4_000_000_000u },
        { "llama.block_count", 1_000_000u },
        { "llama.embedding_length", 32.5f },
        { "llama.attention.head_count", new[] { 2, 2 } },
        { "llama.attention.head_count_kv", 3u },
        { "llama.attention.key_length", 20u },
        { "llama.attention.value_length", 8u },
        { "llama.attention.layer_norm_rms_epsilon", 0f },
        { "llama.attention.layer_norm_rms_epsilon", float.NaN },
        { "llama.attention.layer_norm_rms_epsilon", null },
        { "llama.rope.freq_base", float.PositiveInfinity },
        { "llama.rope.dimension_count", 18u },
        { "llama.rope.dimension_count", 7u },
        { "llama.rope.scaling.type", "longrope" },
        { "llama.rope.scaling.factor", -4f },
        { "llama.rope.scaling.attn_factor", -0.5f },
        { "llama.expert_count", 8u },
        { "llama.attention.causal", false },
        { "tokenizer.ggml.tokens", new[] { "a", "b" } },
    };

    [Theory, MemberData(nameof(BadNumbers))]
    public void Impossible_numbers_are_refused_by_key(string key, object? value)
    {
        GgufWriter writer = TinyModel.Writer("llama");
        Assert.Equal(key, Refused(value is null ? writer.Remove(key) : writer.Set(key, value)).Key);
    }

    [Fact]
    public void One_error_names_every_tensor_that_does_not_fit()
    {
        GgufWriter writer = TinyModel.Writer("qwen3").AddF32("blk.0.attn_q.bias", [32], _ => 0);
        Replace("token_embd.weight", null);
        Replace("blk.1.attn_k_norm.weight", null);
        Replace("blk.0.ffn_up.weight", t => t with { Dims = [TinyModel.FeedForward, TinyModel.Hidden] });
        Replace("output_norm.weight", t => t with { Dims = [31], Data = t.Data[..124] });
        Replace("blk.1.ffn_down.weight", t => t with { Type = 24, Data = new byte[t.Data.Length / 4] });
        ModelFormatException error = Refused(writer);
        Assert.Equal("tensors", error.Key);
        Assert.Contains("2 missing: token_embd.weight, blk.1.attn_k_norm.weight", error.Found);
        Assert.Contains("2 misshapen: output_norm.weight [31] instead of [32], blk.0.ffn_up.weight [32, 64] instead of [64, 32]", error.Found);
        Assert.Contains("1 of a type this build does not read: blk.1.ffn_down.weight (I8)", error.Found);
        Assert.Contains("1 unknown: blk.0.attn_q.bias", error.Found);
        Assert.Contains("Q4_K", error.Expected);

        void Replace(string name, Func<GgufWriter.Tensor, GgufWriter.Tensor>? change)
        {
            int index = writer.Tensors.FindIndex(t => t.Name == name);
            if (change is null) writer.Tensors.RemoveAt(index);
            else writer.Tensors[index] = change(writer.Tensors[index]);
        }
    }

    [Fact]
    public void Long_lists_are_cut()
    {
        GgufWriter writer = TinyModel.Writer("llama");
        writer.Tensors.RemoveAll(t => t.Name.StartsWith("blk.1.", StringComparison.Ordinal) || t.Name.StartsWith("blk.0.f", StringComparison.Ordinal));
        Assert.Contains("13 missing", Refused(writer).Found);
        Assert.EndsWith("and 1 more", Refused(writer).Found);
    }

    [Fact]
    public void Rope_factors_divide_the_frequencies()
    {
        GgufWriter writer = TinyModel.Writer("llama").AddF32("rope_freqs.weight", [8], i => i < 4 ? 1 : 8).Set("llama.rope.scaling.type", "linear").Set("llama.rope.scaling.factor", 2f);
        using LoadedModel model = Load(writer);
        double[] frequencies = model.Spec.Rope.Frequencies();
        for (int i = 0; i < 8; i++) Assert.Equal(Math.Exp(-i / 8.0 * Math.Log(10000)) / (i < 4 ? 2 : 16), frequencies[i], 1e-12);
        Assert.Equal("tensor rope_freqs.weight", Refused(TinyModel.Writer("llama").AddF32("rope_freqs.weight", [8], _ => 0)).Key);
        Assert.Equal("tensor rope_freqs.weight", Refused(TinyModel.Writer("llama").AddF32("rope_freqs.weight", [8], _ => float.NaN)).Key);
    }

    [Fact]
    public void Inspection_describes_what_it_cannot_run()
    {
        using var file = new TempFile(GgufFileTests.Sample().ToArray());
        Inspection inspection = Inspection.Of(file.Path);
        Assert.Contains("llama.block_count", inspection.Refusal);
        Assert.Equal(("llama", null, 11, "GGUF v3"), (inspection.Architecture, inspection.Name, inspection.ParameterCount, inspection.Format));
        Assert.Equal([new("F32", 2, 44)], inspection.Types);
        Assert.Contains(KeyValuePair.Create("a.strings", "[3] one, , drei ▁ä"), inspection.Metadata);
        Assert.Equal(new("matrix", "F32", "[2, 4]", 8, 32), inspection.Tensors[1]);
    }
}
