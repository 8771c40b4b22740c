using System.Text.Json.Nodes;
using Inference.Kernels;

namespace Inference.Models.Tests;

/// <summary>Hugging Face folders: the same model as the GGUF file of the same weights, and what their configuration says.</summary>
public class FolderTests
{
    public static ModelFormatException Refused(string path)
    {
        var error = Assert.Throws<ModelFormatException>(() =>
        {
            using ModelFile file = ModelFile.Open(path);
            file.ReadTokenizer();
            LoadedModel.Load(file, new ReferenceKernels()).Dispose();
        });
        Assert.DoesNotContain('\n', error.Message);
        return error;
    }

    private static float[] Logits(string path, string expected, params int[] ids)
    {
        using ModelFile file = ModelFile.Open(path);
        Assert.Equal(expected, file.Format);
        var kernels = new ReferenceKernels();
        using LoadedModel model = LoadedModel.Load(file, kernels);
        using var sequence = new SequenceRun(model, kernels, KvType.F32, 16);
        return sequence.Append(ids);
    }

    [Theory, InlineData("llama"), InlineData("qwen2"), InlineData("qwen3")]
    public void A_folder_gives_the_logits_of_its_GGUF_file(string architecture)
    {
        GgufWriter gguf = TinyModel.Writer(architecture);
        // Llama models with attention_bias have four of them, and two turn with their rows.
        if (architecture == "llama")
            foreach ((string name, int length) in ((string, int)[])[("attn_q.bias", 32), ("attn_k.bias", 16), ("attn_v.bias", 16), ("attn_output.bias", 32)])
                for (int layer = 0; layer < TinyModel.Layers; layer++) gguf.AddF32($"blk.{layer}.{name}", [(ulong)length], i => 0.01f * i - 0.1f);
        using var file = new TempFile(gguf.ToArray());
        using var folder = new TinyFolder(architecture, gguf);
        float[] expected = Logits(file.Path, "GGUF v3", 1, 3, 4, 5);
        Assert.Equal(expected, Logits(folder.Save(), "safetensors", 1, 3, 4, 5));
        folder.Remove("model.safetensors");
        Assert.Equal(expected, Logits(folder.SaveSharded(3), "safetensors", 1, 3, 4, 5));
        foreach (string name in (string[])["model.safetensors.index.json", "model-00002-of-00003.safetensors"])
            Assert.Equal(expected, Logits(Path.Combine(folder.Path, name), "safetensors", 1, 3, 4, 5));
        Assert.False(expected.AsSpan().Contains(float.NaN));
    }

    [Fact]
    public void A_tied_head_is_the_embedding_also_where_the_file_repeats_it()
    {
        using var folder = new TinyFolder("qwen2");
        folder.Configure("tie_word_embeddings", true);
        using LoadedModel model = LoadedModel.Load(folder.Save(), new ReferenceKernels());
        Assert.True(model.Spec.TiedHead);
        folder.Weights.Tensors.RemoveAll(t => t.Name == "lm_head.weight");
        LoadedModel.Load(folder.Save(), new ReferenceKernels()).Dispose();
        folder.Configure("tie_word_embeddings", false);
        Assert.Equal("lm_head.weight, since tie_word_embeddings is false", Refused(folder.Save()).Expected);
    }

    [Fact]
    public void End_ids_are_those_of_all_files()
    {
        using var folder = new TinyFolder("llama");
        using (ModelFile file = ModelFile.Open(folder.Save()))
        {
            Tokenizer tokenizer = file.ReadTokenizer();
            Assert.Equal([2, 7], tokenizer.EndOfGeneration.Order());
            Assert.Equal((1, 2), (tokenizer.BosId, tokenizer.EosId));
            Assert.Equal([5, 3], tokenizer.EncodeText("aba"));
            Assert.Equal("<s>hi", file.ReadChatTemplate()!.Render(new[] { new ChatMessage("user", "hi") }).Text);
        }
        folder.Set("generation_config.json", """{"eos_token_id":8}""");
        Assert.Equal(("eos_token_id", "ids below 8", "8"), Parts(Refused(folder.Save())));
        folder.Set("generation_config.json", """{"eos_token_id":"2"}""");
        Assert.Equal("eos_token_id", Refused(folder.Save()).Key);
        folder.Remove("generation_config.json");
        LoadedModel.Load(folder.Save(), new ReferenceKernels()).Dispose();
    }

    [Fact]
    public void Rows_without_a_token_stand_for_nothing_and_tokens_without_a_row_are_refused()
    {
        using var folder = new TinyFolder("qwen3");
        folder.Set("tokenizer.json", SmallTokenizerJson.Characters(["<unk>", "<s>", "</s>", "a", "b"]).WithToken(1, "<s>", "special").WithToken(2, "</s>", "special"));
        using (ModelFile file = ModelFile.Open(folder.Save()))
        {
            Tokenizer tokenizer = file.ReadTokenizer();
            Assert.Equal(8, tokenizer.VocabularySize);
            Assert.Equal("ab", tokenizer.Decode([3, 7, 4, 6], skipSpecial: false));
        }
        folder.Set("tokenizer.json", SmallTokenizerJson.Characters(["<unk>", "<s>", "</s>", "a", "b", "c", "d", "e", "f"]));
        Assert.Contains("an id below 8", Refused(folder.Save()).Message);
        folder.Set("tokenizer.json", SmallTokenizerJson.Characters(["<unk>", "<s>", "</s>"]).WithToken(8, "<x>"));
        Assert.Contains("an id below 8", Refused(folder.Save()).Message);
    }

    [Fact]
    public void The_rotary_numbers_reach_the_spec()
    {
        using var folder = new TinyFolder("llama");
        folder.Configure("rope_scaling", JsonNode.Parse("""{"type":"linear","factor":4.0}"""));
        Assert.Equal((4.0, null), (Spec().Rope.Scaling, Spec().Rope.Yarn));
        folder.Configure("rope_scaling", JsonNode.Parse("""{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32,"beta_fast":16}"""));
        Assert.Equal((4.0, new YarnSpec(32, 16, 1), YarnSpec.Amplitude(4)), (Spec().Rope.Scaling, Spec().Rope.Yarn, Spec().Rope.Amplitude));
        folder.Configure("rope_scaling", JsonNode.Parse("""{"rope_type":"yarn","factor":4.0,"attention_factor":1.5}"""));
        Assert.Equal(1.5, Spec().Rope.Amplitude, 1e-6);
        folder.Configure("rope_scaling", null).Configure("rope_parameters", JsonNode.Parse("""{"rope_type":"default","rope_theta":500000.0}"""));
        Assert.Equal(500000.0, Spec().Rope.Theta);

        ModelSpec Spec()
        {
            using LoadedModel model = LoadedModel.Load(folder.Save(), new ReferenceKernels());
            return model.Spec;
        }
    }

    [Fact]
    public void Llama_3_scales_its_frequencies_by_the_published_rule()
    {
        using var folder = new TinyFolder("llama");
        folder.Configure("rope_theta", 10.0).Configure("rope_scaling", JsonNode.Parse("""{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":16}"""));
        using LoadedModel model = LoadedModel.Load(folder.Save(), new ReferenceKernels());
        float[] factors = model.Spec.Rope.FrequencyFactors!;
        Assert.Equal(8, factors.Length);
        for (int i = 0; i < 8; i++)
        {
            // As Meta wrote it down: by wave lengths.
            double wave = 2 * Math.PI * Math.Pow(10, i / 8.0), expected = wave < 16 / 4.0 ? 1 : wave > 16 / 1.0 ? 8 : 0;
            if (expected == 0)
            {
                double smooth = (16 / wave - 1) / (4 - 1);
                expected = 1 / ((1 - smooth) / 8 + smooth);
            }
            Assert.Equal(expected, factors[i], 1e-6);
        }
        Assert.Contains(factors, f => f is > 1 and < 8);
        Assert.Contains(8f, factors);
        folder.Configure("rope_scaling", JsonNode.Parse("""{"rope_type":"llama3","factor":8.0,"low_freq_factor":4.0,"high_freq_factor":4.0,"original_max_position_embeddings":16}"""));
        Assert.Equal("rope_scaling.high_freq_factor", Refused(folder.Save()).Key);
    }

    [Fact]
    public void The_name_is_the_folders_or_the_repositorys()
    {
        using var folder = new TinyFolder("llama");
        folder.Save();
        using (LoadedModel model = LoadedModel.Load(folder.Path + "/", new ReferenceKernels())) Assert.Equal(Path.GetFileName(folder.Path), model.Name);
        string snapshot = Path.Combine(folder.Path, "models--org--name", "snapshots", "abc");
        Directory.CreateDirectory(snapshot);
        foreach (string file in Directory.GetFiles(folder.Path)) File.Copy(file, Path.Combine(snapshot, Path.GetFileName(file)));
        using LoadedModel cached = LoadedModel.Load(snapshot, new ReferenceKernels());
        Assert.Equal("org/name", cached.Name);
        Assert.Null(Inspection.Of(snapshot).Refusal);
    }

    private static (string, string, string) Parts(ModelFormatException error) => (error.Key, error.Expected, error.Found);
}
