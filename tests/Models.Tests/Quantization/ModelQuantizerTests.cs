using Inference.Kernels;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

public class ModelQuantizerTests
{
    /// <summary>Files that llama.cpp made of the same source: <c>../shared/conformance/models</c>.</summary>
    public static TheoryData<string, string> Pairs => new()
    {
        { "tiny-qwen3-256", "Q8_0" }, { "tiny-qwen3-256", "Q6_K" }, { "tiny-qwen3-256", "Q5_1" }, { "tiny-qwen3-256", "Q5_K_M" }, { "tiny-qwen3-256", "Q5_0" },
        { "tiny-qwen3-256", "Q4_1" }, { "tiny-qwen3-256", "Q4_K_M" }, { "tiny-qwen3-256", "Q4_0" }, { "tiny-qwen3-256", "IQ4_NL" }, { "tiny-qwen3-256", "IQ4_XS" },
        { "tiny-qwen3-256", "Q3_K_M" }, { "tiny-qwen3-256", "Q2_K" }, { "tiny-llama-256", "Q4_K_M" }, { "tiny-llama-256", "Q4_0" }, { "tiny-qwen2-256", "Q8_0" },
    };

    [Theory, MemberData(nameof(Pairs))]
    public void Types_are_llamacpps_and_errors_no_larger(string model, string mix)
    {
        string folder = SharedData.Require("conformance", "models");
        using GgufFile source = GgufFile.Open(Path.Combine(folder, $"{model}-F16.gguf")), theirs = GgufFile.Open(Path.Combine(folder, $"{model}-{mix}.gguf"));
        using var temporary = new TempFolder();
        ModelQuantizer.Quantize(source, temporary.File("out.gguf"), Options(mix) with { Threads = 2 });
        Assert.Equal(["out.gguf"], temporary.Files);
        using GgufFile ours = GgufFile.Open(temporary.File("out.gguf"));
        // Only the order is another: llama.cpp sorts by layer and name.
        Assert.Equal(theirs.Tensors.Select(t => (t.Name, t.TypeName, t.Shape)).Order(), ours.Tensors.Select(t => (t.Name, t.TypeName, t.Shape)).Order());
        Assert.Equal(theirs.RequireInteger("general.file_type"), ours.RequireInteger("general.file_type"));
        Assert.Equal(theirs.RequireInteger("general.quantization_version"), ours.RequireInteger("general.quantization_version"));
        Dictionary<string, double> limits = TensorError.ByType(theirs, source), errors = TensorError.ByType(ours, source);
        foreach ((string type, double limit) in limits)
        {
            TestContext.Current.TestOutputHelper!.WriteLine($"{model} {mix} {type}: {errors[type]:g5}, llama.cpp {limit:g5}, ratio {errors[type] / limit:f4}");
            Assert.True(errors[type] <= 1.02 * limit, $"{mix} {type}: {errors[type]}, llama.cpp {limit}");
        }
    }

    /// <summary>Root-mean-square errors over all matrices of the sample model, of files that llama.cpp made (peer.sh quantize, ggml 0.18).</summary>
    [Theory]
    [InlineData("Q8_0", 0.0002888), InlineData("Q6_K", 0.0009533), InlineData("Q5_1", 0.001698), InlineData("Q5_K_M", 0.001587), InlineData("Q5_K_S", 0.001629), InlineData("Q5_0", 0.001888)]
    [InlineData("Q4_1", 0.003339), InlineData("Q4_K_M", 0.002944), InlineData("Q4_K_S", 0.003031), InlineData("Q4_0", 0.003655), InlineData("IQ4_NL", 0.00325), InlineData("IQ4_XS", 0.003275)]
    [InlineData("Q3_K_L", 0.005503), InlineData("Q3_K_M", 0.005661), InlineData("Q3_K_S", 0.006364), InlineData("Q2_K", 0.01115)]
    public void Errors_on_the_sample_model_are_no_larger_than_llamacpps(string mix, double theirs)
    {
        using var temporary = new TempFolder();
        using GgufFile source = GgufFile.Open(Sample);
        ModelQuantizer.Quantize(source, temporary.File("out.gguf"), Options(mix) with { Threads = 2 });
        using GgufFile ours = GgufFile.Open(temporary.File("out.gguf"));
        double found = TensorError.OfAll(ours, source);
        Assert.True(found <= 1.02 * theirs, $"{mix}: {found}, llama.cpp {theirs}");
    }

    [Theory]
    [InlineData("F32"), InlineData("BF16"), InlineData("Q8_0"), InlineData("Q4_K_M"), InlineData("IQ4_XS")]
    public void Bytes_do_not_depend_on_threads(string mix)
    {
        using var temporary = new TempFolder();
        using GgufFile source = GgufFile.Open(Sample);
        foreach (int threads in (int[])[1, 5]) ModelQuantizer.Quantize(source, temporary.File($"{threads}.gguf"), Options(mix) with { Threads = threads });
        Assert.Equal(File.ReadAllBytes(temporary.File("1.gguf")), File.ReadAllBytes(temporary.File("5.gguf")));
    }

    [Fact]
    public void Metadata_is_copied_and_the_file_type_set()
    {
        using var temporary = new TempFolder();
        using GgufFile source = GgufFile.Open(Sample);
        ModelQuantizer.Quantize(source, temporary.File("out.gguf"), Options("Q5_K_S"));
        using GgufFile made = GgufFile.Open(temporary.File("out.gguf"));
        Assert.Equal(source.Metadata.Keys.Union(["general.file_type", "general.quantization_version"]), made.Metadata.Keys);
        foreach (string key in source.Metadata.Keys.Except(["general.file_type"])) Assert.True(source.RawValue(key).SequenceEqual(made.RawValue(key)), key);
        Assert.Equal(16, made.RequireInteger("general.file_type"));
        Assert.Equal(2, made.RequireInteger("general.quantization_version"));
    }

    [Fact]
    public void F32_is_exact_and_F16_of_it_comes_back()
    {
        using var temporary = new TempFolder();
        string wide = temporary.File("f32.gguf"), back = temporary.File("f16.gguf");
        using GgufFile source = GgufFile.Open(Sample);
        ModelQuantizer.Quantize(source, wide, Options("F32"));
        using GgufFile single = GgufFile.Open(wide);
        Assert.All(single.Tensors, tensor => Assert.Equal(TensorType.F32, tensor.Type));
        ModelQuantizer.Quantize(single, back, Options("F16"));
        using GgufFile half = GgufFile.Open(back);
        foreach (StoredTensor tensor in source.Tensors)
        {
            TensorSource a = source.Source(tensor), b = half.Source(half.FindTensor(tensor.Name)!);
            Assert.Equal(a.Format, b.Format);
            for (int row = 0; row < a.Rows; row++) Assert.True(a.Row(row).SequenceEqual(b.Row(row)), tensor.Name);
        }
    }

    [Fact]
    public void Types_of_output_and_embedding_can_be_chosen()
    {
        using var temporary = new TempFolder();
        using TempFile file = new(TinyModel.Writer("llama").ToArray());
        using GgufFile source = GgufFile.Open(file.Path);
        ModelQuantizer.Quantize(source, temporary.File("out.gguf"), Options("Q4_0") with { OutputType = TensorType.F16, EmbeddingType = TensorType.Q8_0 });
        using GgufFile made = GgufFile.Open(temporary.File("out.gguf"));
        Assert.Equal("F16", made.FindTensor("output.weight")!.TypeName);
        Assert.Equal("Q8_0", made.FindTensor("token_embd.weight")!.TypeName);
        Assert.Equal("Q4_0", made.FindTensor("blk.0.attn_q.weight")!.TypeName);
        Assert.Equal("F32", made.FindTensor("blk.0.attn_norm.weight")!.TypeName);
    }

    [Fact]
    public void Quantised_weights_are_refused_unless_asked_for()
    {
        using var temporary = new TempFolder();
        using GgufFile source = GgufFile.Open(Sample);
        ModelQuantizer.Quantize(source, temporary.File("q8.gguf"), Options("Q8_0"));
        using GgufFile quantized = GgufFile.Open(temporary.File("q8.gguf"));
        var error = Assert.Throws<ModelFormatException>(() => ModelQuantizer.Quantize(quantized, temporary.File("q4.gguf"), Options("Q4_0")));
        Assert.Contains("found Q8_0", error.Message);
        Assert.Equal(["q8.gguf"], temporary.Files);
        ModelQuantizer.Quantize(quantized, temporary.File("q4.gguf"), Options("Q4_0") with { Requantize = true });
        // What keeps its type is copied and loses nothing.
        ModelQuantizer.Quantize(quantized, temporary.File("again.gguf"), Options("Q8_0"));
        Assert.Equal(File.ReadAllBytes(temporary.File("q8.gguf")), File.ReadAllBytes(temporary.File("again.gguf")));
    }

    [Theory]
    [InlineData(float.NaN, "Q4_K", "finite numbers"), InlineData(float.NegativeInfinity, "Q8_0", "finite numbers"), InlineData(1e6f, "F16", "F16 can hold")]
    public void Numbers_that_a_type_cannot_hold_are_named_and_leave_nothing(float value, string mix, string expected)
    {
        using var temporary = new TempFolder();
        GgufWriter writer = new GgufWriter().Set("general.architecture", "llama").AddF32("blk.0.ffn_up.weight", [256, 3], i => i == 300 ? value : 1);
        using TempFile file = new(writer.ToArray());
        using GgufFile source = GgufFile.Open(file.Path);
        var error = Assert.Throws<ModelFormatException>(() => ModelQuantizer.Quantize(source, temporary.File("out.gguf"), Options(mix)));
        Assert.Contains("tensor blk.0.ffn_up.weight, row 1, column 44", error.Message);
        Assert.Contains(expected, error.Message);
        Assert.Empty(temporary.Files);
    }

    [Fact]
    public void Cancelling_leaves_nothing()
    {
        using var temporary = new TempFolder();
        using GgufFile source = GgufFile.Open(Sample);
        using var cancellation = new CancellationTokenSource();
        var seen = new List<string[]>();
        Assert.Throws<OperationCanceledException>(() => ModelQuantizer.Quantize(source, temporary.File("out.gguf"), Options("Q6_K") with { Threads = 1 }, (_, _) =>
        {
            seen.Add(temporary.Files);
            cancellation.Cancel();
        }, cancellation.Token));
        Assert.EndsWith(".tmp", Assert.Single(Assert.Single(seen)));
        Assert.Empty(temporary.Files);
    }

    [Fact]
    public void Existing_files_are_replaced_only_when_asked_for()
    {
        using var temporary = new TempFolder();
        using GgufFile source = GgufFile.Open(Sample);
        string path = temporary.File("out.gguf");
        File.WriteAllText(path, "precious");
        Assert.Contains("exists already", Assert.Throws<IOException>(() => ModelQuantizer.Quantize(source, path, Options("Q8_0"))).Message);
        Assert.Equal("precious", File.ReadAllText(path));
        ModelQuantizer.Quantize(source, path, Options("Q8_0") with { Replace = true });
        using GgufFile made = GgufFile.Open(path);
        Assert.Equal(["out.gguf"], temporary.Files);
    }

    private static string Sample => Path.Combine(SharedData.Root, "tools", "SampleModel", "kjv-5m-f16.gguf");

    private static QuantizationOptions Options(string mix) => new(QuantizationMix.Find(mix)!);
}
