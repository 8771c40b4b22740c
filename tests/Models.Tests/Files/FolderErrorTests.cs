using System.Text.Json.Nodes;

namespace Inference.Models.Tests;

/// <summary>What is wrong with a Hugging Face folder is one error in the words of its own files.</summary>
public class FolderErrorTests
{
    public static TheoryData<string, string?> BadNumbers => new()
    {
        { "num_hidden_layers", null }, { "num_hidden_layers", "0" }, { "num_hidden_layers", "\"2\"" }, { "num_hidden_layers", "1e9" }, { "num_hidden_layers", "1e40" },
        { "hidden_size", "32.5" }, { "hidden_size", "-32" }, { "num_attention_heads", "[2]" }, { "num_key_value_heads", "3" }, { "head_dim", "20" },
        { "rms_norm_eps", "0" }, { "rms_norm_eps", null }, { "rope_theta", "-1" }, { "rope_theta", "true" }, { "vocab_size", "9" },
        { "hidden_act", "\"gelu\"" }, { "architectures", "[]" }, { "architectures", "\"LlamaForCausalLM\"" }, { "tie_word_embeddings", "1" },
        { "sliding_window", "64" }, { "layer_types", "[\"full_attention\",\"sliding_attention\"]" }, { "partial_rotary_factor", "0.5" }, { "rope_interleaved", "true" },
        { "quantization_config", "{\"quant_method\":\"gptq\"}" }, { "rope_scaling", "{\"type\":\"longrope\"}" }, { "rope_scaling", "{\"type\":\"linear\"}" }, { "rope_scaling", "[]" },
    };

    [Theory, MemberData(nameof(BadNumbers))]
    public void Impossible_values_of_the_configuration_are_refused_by_its_own_key(string key, string? json)
    {
        using var folder = new TinyFolder("llama");
        folder.Configure(key, json is null ? null : JsonNode.Parse(json));
        ModelFormatException error = FolderTests.Refused(folder.Save());
        Assert.StartsWith(key, error.Key);
        Assert.EndsWith("config.json", error.File);
    }

    [Fact]
    public void An_unknown_class_lists_the_architectures()
    {
        using var folder = new TinyFolder("llama");
        folder.Configure("architectures", new JsonArray("MambaForCausalLM"));
        ModelFormatException error = FolderTests.Refused(folder.Save());
        Assert.Equal(("architectures", "one of llama, qwen2, qwen3", "MambaForCausalLM"), (error.Key, error.Expected, error.Found));
        folder.Configure("architectures", null).Configure("model_type", "gemma2");
        Assert.Equal(("model_type", "gemma2"), (FolderTests.Refused(folder.Save()).Key, FolderTests.Refused(folder.Save()).Found));
    }

    [Fact]
    public void Missing_files_are_named()
    {
        using var folder = new TinyFolder("qwen3");
        string path = folder.Save();
        folder.Remove("tokenizer.json");
        Assert.Equal($"{path}: tokenizer: expected tokenizer.json or tokenizer.model, found neither", FolderTests.Refused(path).Message);
        folder.Set("vocab.json", "{}");
        Assert.Equal("vocab.json, which is not read", FolderTests.Refused(path).Found);
        folder.Remove("model.safetensors");
        Assert.Equal($"{path}: weights: expected model.safetensors or model.safetensors.index.json, found neither", FolderTests.Refused(path).Message);
        Assert.Throws<FileNotFoundException>(() => ModelFile.Open(Path.Combine(path, "model.safetensors")));
        folder.Set("pytorch_model.bin", "PK");
        Assert.Equal("pytorch_model.bin: PyTorch's pickled files are not read", FolderTests.Refused(path).Found);
        folder.Set("adapter_model.safetensors", "");
        Assert.Contains("a LoRA adapter", FolderTests.Refused(path).Found);
        folder.Remove("config.json");
        Assert.Equal($"{path}: config.json: expected the file, as every Hugging Face folder has it, found no such file", FolderTests.Refused(path).Message);
        folder.Set("adapter_config.json", "{}");
        Assert.Contains("a LoRA adapter", FolderTests.Refused(path).Found);
        folder.Set("m-Q4_0.gguf", "");
        Assert.Equal("no such file, but GGUF files, of which one can be named: m-Q4_0.gguf", FolderTests.Refused(path).Found);
    }

    [Theory, InlineData("config.json"), InlineData("generation_config.json"), InlineData("tokenizer.json"), InlineData("tokenizer_config.json")]
    public void Files_that_are_no_JSON_are_refused(string name)
    {
        using var folder = new TinyFolder("qwen2");
        folder.Save();
        foreach (string text in (string[])["", "[1]", "{", "{\"a\":\"\\ud800\"} x", "nonsense", "\u00ff"])
            Assert.Equal(Path.Combine(folder.Path, name), FolderTests.Refused(folder.Set(name, text).Path).File);
    }

    [Theory, InlineData("config.json"), InlineData("generation_config.json"), InlineData("tokenizer_config.json")]
    public void A_name_that_is_half_a_surrogate_pair_is_refused_where_another_is_looked_for(string name)
    {
        using var folder = new TinyFolder("llama");
        folder.Save();
        folder.Set(name, "{\"\\ud800aaaaaaaaaaaaaaaaaa\":1}");
        Assert.Equal(Path.Combine(folder.Path, name), FolderTests.Refused(folder.Path).File);
    }

    [Fact]
    public void One_error_names_every_tensor_that_does_not_fit_as_the_folder_calls_it()
    {
        using var folder = new TinyFolder("qwen3");
        List<SafetensorsWriter.Tensor> tensors = folder.Weights.Tensors;
        tensors.RemoveAll(t => t.Name == "model.layers.1.self_attn.k_norm.weight");
        Change("model.layers.0.mlp.up_proj.weight", t => t with { Shape = [TinyModel.Hidden, TinyModel.FeedForward] });
        Change("model.layers.0.mlp.gate_proj.weight", t => t with { Type = "I8", Data = t.Data[..2048] });
        Change("model.layers.0.mlp.down_proj.weight", t => t with { Type = "F8_E4M3", Data = t.Data[..2048] });
        folder.Weights.AddF32("model.layers.0.self_attn.q_proj.bias", [32], new float[32]).AddF32("model.layers.0.self_attn.rotary_emb.inv_freq", [8], new float[8]);
        ModelFormatException error = FolderTests.Refused(folder.Save());
        Assert.Contains("1 missing: model.layers.1.self_attn.k_norm.weight", error.Found);
        Assert.Contains("1 misshapen: model.layers.0.mlp.up_proj.weight [32, 64] instead of [64, 32]", error.Found);
        Assert.Contains("2 of a type this build does not read: model.layers.0.mlp.gate_proj.weight (I8), model.layers.0.mlp.down_proj.weight (F8_E4M3)", error.Found);
        Assert.Contains("1 unknown: model.layers.0.self_attn.q_proj.bias", error.Found);

        void Change(string name, Func<SafetensorsWriter.Tensor, SafetensorsWriter.Tensor> change)
        {
            int index = tensors.FindIndex(t => t.Name == name);
            tensors[index] = change(tensors[index]);
        }
    }

    [Theory, InlineData("token_embd.weight"), InlineData("blk.0.attn_q.weight"), InlineData("blk.1.ffn_norm.weight")]
    public void A_name_of_GGUF_in_a_folder_is_refused(string name)
    {
        using var folder = new TinyFolder("llama");
        folder.Weights.AddF32(name, [1], 0);
        Assert.Equal($"tensor {name}", FolderTests.Refused(folder.Save()).Key);
    }

    [Theory, InlineData("model.layers.01.input_layernorm.weight"), InlineData("model.layers.+1.input_layernorm.weight"), InlineData("model.layers.99999999999.input_layernorm.weight"), InlineData("MODEL.norm.weight")]
    public void A_second_spelling_is_an_unknown_tensor(string name)
    {
        using var folder = new TinyFolder("llama");
        folder.Weights.AddF32(name, [1], 0);
        Assert.Contains($"1 unknown: {name}", FolderTests.Refused(folder.Save()).Found);
    }

    [Theory]
    [InlineData("../model.safetensors"), InlineData("/dev/shm/model.safetensors"), InlineData("a/model.safetensors"), InlineData("..\\model.safetensors"), InlineData("C:model.safetensors")]
    [InlineData("config.json"), InlineData(""), InlineData(".."), InlineData("a\0.safetensors")]
    public void An_index_cannot_name_files_elsewhere(string name)
    {
        using var folder = new TinyFolder("llama");
        folder.SaveSharded(2);
        folder.Set("model.safetensors.index.json", new JsonObject { ["weight_map"] = new JsonObject { ["model.norm.weight"] = name } });
        ModelFormatException error = FolderTests.Refused(folder.Path);
        Assert.Equal(("weight_map.model.norm.weight", "the name of a .safetensors file in the same folder"), (error.Key, error.Expected));
    }

    [Fact]
    public void An_index_and_its_files_must_agree()
    {
        using var folder = new TinyFolder("llama");
        string path = folder.SaveSharded(3), index = Path.Combine(path, "model.safetensors.index.json");
        JsonObject right = JsonNode.Parse(File.ReadAllText(index))!.AsObject();
        folder.Remove("model-00002-of-00003.safetensors").Remove("model-00003-of-00003.safetensors");
        Assert.Equal("2 missing: model-00002-of-00003.safetensors, model-00003-of-00003.safetensors", FolderTests.Refused(path).Found);

        folder.SaveSharded(3);
        right["weight_map"]!["model.norm.weight"] = "model-00001-of-00003.safetensors";
        folder.Set("model.safetensors.index.json", right);
        Assert.Equal("tensor model.norm.weight", FolderTests.Refused(path).Key);
        right["weight_map"]!["model.norm.weight"] = "model-00002-of-00003.safetensors";
        right["weight_map"]!["model.layers.7.extra.weight"] = "model-00002-of-00003.safetensors";
        folder.Set("model.safetensors.index.json", right);
        Assert.Equal("1 missing: model.layers.7.extra.weight", FolderTests.Refused(path).Found);
        foreach (string text in (string[])["{}", "[]", "{\"weight_map\":[]}", "{\"weight_map\":{}}", "{\"weight_map\":{\"a\":1}}", "{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"x.safetensors\"}}"])
            Assert.Equal(index, FolderTests.Refused(folder.Set("model.safetensors.index.json", text).Path).File);
    }
}
