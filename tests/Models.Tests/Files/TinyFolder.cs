using System.Text;
using System.Text.Json.Nodes;

namespace Inference.Models.Tests;

/// <summary>The models of <see cref="TinyModel"/> as Hugging Face folders with the same weights, in a folder that goes away with the test.</summary>
internal sealed class TinyFolder : IDisposable
{
    private static readonly Dictionary<string, string> Parts = new()
    {
        ["attn_norm.weight"] = "input_layernorm.weight",
        ["attn_output.weight"] = "self_attn.o_proj.weight",
        ["attn_output.bias"] = "self_attn.o_proj.bias",
        ["ffn_norm.weight"] = "post_attention_layernorm.weight",
        ["ffn_gate.weight"] = "mlp.gate_proj.weight",
        ["ffn_up.weight"] = "mlp.up_proj.weight",
        ["ffn_down.weight"] = "mlp.down_proj.weight",
        ["attn_q_norm.weight"] = "self_attn.q_norm.weight",
        ["attn_k_norm.weight"] = "self_attn.k_norm.weight",
        ["attn_q.weight"] = "self_attn.q_proj.weight",
        ["attn_k.weight"] = "self_attn.k_proj.weight",
        ["attn_v.weight"] = "self_attn.v_proj.weight",
        ["attn_q.bias"] = "self_attn.q_proj.bias",
        ["attn_k.bias"] = "self_attn.k_proj.bias",
        ["attn_v.bias"] = "self_attn.v_proj.bias",
    };

    /// <param name="architecture">llama, qwen2 or qwen3.</param>
    /// <param name="gguf">Where the weights come from; null: <see cref="TinyModel.Writer"/>.</param>
    public TinyFolder(string architecture, GgufWriter? gguf = null)
    {
        Directory.CreateDirectory(Path);
        foreach (GgufWriter.Tensor tensor in (gguf ?? TinyModel.Writer(architecture)).Tensors)
        {
            byte[] data = architecture == "llama" && (tensor.Name.Contains("attn_q.") || tensor.Name.Contains("attn_k.")) ? Halve(tensor.Data, TinyModel.HeadDim, tensor.Data.Length / (int)tensor.Dims[^1]) : tensor.Data;
            Weights.Tensors.Add(new(OwnName(tensor.Name), "F32", [.. tensor.Dims.Reverse().Select(d => (long)d)], data));
        }
        Configuration = new JsonObject
        {
            ["architectures"] = new JsonArray(architecture switch { "llama" => "LlamaForCausalLM", "qwen2" => "Qwen2ForCausalLM", _ => "Qwen3ForCausalLM" }),
            ["model_type"] = architecture,
            ["hidden_act"] = "silu",
            ["hidden_size"] = TinyModel.Hidden,
            ["intermediate_size"] = TinyModel.FeedForward,
            ["max_position_embeddings"] = 128,
            ["num_attention_heads"] = TinyModel.Heads,
            ["num_hidden_layers"] = TinyModel.Layers,
            ["num_key_value_heads"] = TinyModel.KvHeads,
            ["head_dim"] = TinyModel.HeadDim,
            ["rms_norm_eps"] = 1e-5,
            ["rope_theta"] = 10000.0,
            ["rope_scaling"] = null,
            ["sliding_window"] = null,
            ["tie_word_embeddings"] = false,
            ["eos_token_id"] = 2,
            ["vocab_size"] = TinyModel.Vocabulary,
        };
        string[] tokens = ["<unk>", "<s>", "</s>", "a", "b", "ab", "▁", "d"];
        Set("tokenizer.json", SmallTokenizerJson.Characters(tokens, "a b").WithToken(1, "<s>", "special").WithToken(2, "</s>", "special"));
        Set("tokenizer_config.json", """{"bos_token":"<s>","eos_token":{"content":"</s>"},"chat_template":"{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"}""");
        Set("generation_config.json", """{"eos_token_id":[2,7],"temperature":0.6}""");
    }

    public string Path { get; } = System.IO.Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath(), $"inference-{Guid.NewGuid():n}");

    /// <summary>config.json, written by <see cref="Save"/>.</summary>
    public JsonObject Configuration { get; }

    /// <summary>model.safetensors, written by <see cref="Save"/>.</summary>
    public SafetensorsWriter Weights { get; } = new();

    public TinyFolder Set(string name, JsonNode json) => Set(name, json.ToJsonString());

    public TinyFolder Set(string name, string text) => Set(name, Encoding.UTF8.GetBytes(text));

    public TinyFolder Set(string name, byte[] bytes)
    {
        File.WriteAllBytes(System.IO.Path.Combine(Path, name), bytes);
        return this;
    }

    public TinyFolder Remove(string name)
    {
        File.Delete(System.IO.Path.Combine(Path, name));
        return this;
    }

    /// <summary>Sets a value of config.json.</summary>
    public TinyFolder Configure(string key, JsonNode? value)
    {
        Configuration[key] = value;
        return this;
    }

    /// <summary>Writes configuration and weights, and gives the folder's path.</summary>
    public string Save()
    {
        Set("config.json", Configuration);
        Set("model.safetensors", Weights.ToArray());
        return Path;
    }

    /// <summary>Writes the weights into shards, the tensors dealt out in turn, with an index.</summary>
    public string SaveSharded(int shards)
    {
        Set("config.json", Configuration);
        var map = new JsonObject();
        for (int shard = 0; shard < shards; shard++)
        {
            var writer = new SafetensorsWriter();
            writer.Tensors.AddRange(Weights.Tensors.Where((_, i) => i % shards == shard));
            string name = $"model-{shard + 1:d5}-of-{shards:d5}.safetensors";
            foreach (SafetensorsWriter.Tensor tensor in writer.Tensors) map[tensor.Name] = name;
            Set(name, writer.ToArray());
        }
        Set("model.safetensors.index.json", new JsonObject { ["metadata"] = new JsonObject(), ["weight_map"] = map });
        return Path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    public static string OwnName(string name) => name switch
    {
        "token_embd.weight" => "model.embed_tokens.weight",
        "output_norm.weight" => "model.norm.weight",
        "output.weight" => "lm_head.weight",
        _ when name.StartsWith("blk.", StringComparison.Ordinal) => $"model.layers.{name[4..name.IndexOf('.', 4)]}.{Parts[name[(name.IndexOf('.', 4) + 1)..]]}",
        _ => name,
    };

    /// <summary>
    /// The inverse of what converters do: they take the rows of a head as [2][half], swap the two axes, and write them; so row (i, j) goes back to (j, i).
    /// </summary>
    private static byte[] Halve(byte[] data, int head, int rowBytes)
    {
        byte[] halved = new byte[data.Length];
        for (int start = 0; start < data.Length / rowBytes; start += head)
            for (int i = 0; i < head / 2; i++)
                for (int j = 0; j < 2; j++)
                    Array.Copy(data, (start + i * 2 + j) * rowBytes, halved, (start + j * (head / 2) + i) * rowBytes, rowBytes);
        return halved;
    }
}
