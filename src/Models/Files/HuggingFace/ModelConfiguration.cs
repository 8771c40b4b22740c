using System.Text.Json;

namespace Inference.Models;

/// <summary>
/// config.json as canonical numbers: GGUF's keys to strings, integers, float32 numbers and bools. What it says of features that the decoder lacks is refused here,
/// for the canonical keys have no words for it.
/// </summary>
internal sealed class ModelConfiguration
{
    public const string FileName = "config.json";

    /// <summary>Classes whose weights this build reads, and the architecture that computes them.</summary>
    private static readonly Dictionary<string, string> Architectures = new(StringComparer.Ordinal)
    {
        ["LlamaForCausalLM"] = "llama",
        ["MistralForCausalLM"] = "llama",
        ["Qwen2ForCausalLM"] = "qwen2",
        ["Qwen3ForCausalLM"] = "qwen3",
    };

    /// <summary>Model types of configurations that name no class.</summary>
    private static readonly Dictionary<string, string> Types = new(StringComparer.Ordinal) { ["llama"] = "llama", ["mistral"] = "llama", ["qwen2"] = "qwen2", ["qwen3"] = "qwen3" };

    private static readonly (string Own, string Canonical)[] NumberNames =
    [
        ("num_hidden_layers", DecoderBlock.Layers), ("max_position_embeddings", DecoderBlock.Context), ("hidden_size", DecoderBlock.Hidden),
        ("intermediate_size", DecoderBlock.FeedForward), ("num_attention_heads", DecoderBlock.Heads), ("num_key_value_heads", DecoderBlock.KvHeads),
        ("head_dim", DecoderBlock.KeyDim), ("head_dim", DecoderBlock.ValueDim), ("rms_norm_eps", DecoderBlock.RmsEpsilon), ("vocab_size", "vocab_size"),
    ];

    private readonly JsonPart root;
    private readonly string prefix;
    private readonly Dictionary<string, object> values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> ownNames = new(StringComparer.Ordinal);

    private ModelConfiguration(JsonPart root)
    {
        this.root = root;
        (string own, string architecture) = ReadArchitecture();
        prefix = architecture + ".";
        Set("general.architecture", own, architecture);
        foreach ((string name, string canonical) in NumberNames)
            if (root[name] is { Exists: true } part) Set(prefix + canonical, name, Number(part));
            else ownNames[prefix + canonical] = name;
        ownNames[VocabularyData.Key("tokens")] = "vocab_size";
        // Qwen 3's own default, where the others divide.
        if (architecture == "qwen3" && !values.ContainsKey(prefix + DecoderBlock.KeyDim))
            foreach (string key in (string[])[DecoderBlock.KeyDim, DecoderBlock.ValueDim]) Set(prefix + key, "head_dim", 128L);
        if (Architecture.All.FirstOrDefault(a => a.Name == architecture) is not { } known) return;
        RefuseLackingFeatures();
        RopeConfiguration.Read(root, known.Tensors.Any(t => t.Name == TensorNames.RopeFactors), (key, name, value) => Set(prefix + "rope." + key, name, value));
        HalvedHeads = known.RopeStyle == Kernels.RopeStyle.Interleaved;
        if (HeadDim is { } head) LlamaFactors = RopeConfiguration.ReadLlamaFactors(root, head);
    }

    /// <summary>Path of the file.</summary>
    public string Path => root.File;

    /// <summary>The values by canonical key, in an order of their own: string, long, float or bool.</summary>
    public IReadOnlyDictionary<string, object> Values => values;

    /// <summary>Elements of a query or key head; null where the numbers do not tell.</summary>
    public int? HeadDim => TryGetCount(DecoderBlock.KeyDim) ?? HeadSize();

    /// <summary>Divisors of the rotary frequencies that Llama 3.1 computes from its configuration; null for none.</summary>
    public float[]? LlamaFactors { get; }

    /// <summary>Whether the head is the embedding; null where the file does not say.</summary>
    public bool? TiedHead => root["tie_word_embeddings"] is { Exists: true } tied ? tied.Flag() : null;

    /// <summary>Whether the architecture pairs neighbouring dims where the folder pairs the halves of a head.</summary>
    public bool HalvedHeads { get; }

    /// <summary>Ids that end a generation; empty where the file names none.</summary>
    public IReadOnlyList<int> EndIds => ReadEndIds(root);

    /// <exception cref="ModelFormatException">It is damaged, or names a feature that this build lacks.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static ModelConfiguration Read(string folder) => new(JsonFile.Read(System.IO.Path.Combine(folder, FileName)));

    /// <summary>The end ids of a file that may be absent: <c>eos_token_id</c> is one id or a list.</summary>
    public static IReadOnlyList<int> ReadEndIds(JsonPart root)
    {
        JsonPart part = root["eos_token_id"];
        if (!part.Exists) return [];
        return part.Value.ValueKind == JsonValueKind.Array ? [.. part.Elements().Select(e => e.Integer())] : [part.Integer()];
    }

    /// <summary>An error in the words of the file.</summary>
    public ModelFormatException Error(string key, string expected, string found) => new(Path, ownNames.GetValueOrDefault(key, key), expected, found);

    /// <summary>The file's own keys and values as text.</summary>
    public IEnumerable<KeyValuePair<string, string>> Describe() => root.Members().Select(m => KeyValuePair.Create(m.Name, m.Member.Value.ValueKind == JsonValueKind.String ? m.Member.Text() : m.Member.Value.GetRawText()));

    private (string Own, string Architecture) ReadArchitecture()
    {
        JsonPart classes = root["architectures"], type = root["model_type"];
        if (classes.Exists)
        {
            string[] names = [.. classes.Elements().Select(e => e.Text())];
            if (names.Length != 1) throw classes.Error("one class");
            return ("architectures", Architectures.GetValueOrDefault(names[0], names[0]));
        }
        string name = type.Exists ? type.Text() : throw new ModelFormatException(Path, "architectures", "the class of the model", "no such key");
        return ("model_type", Types.GetValueOrDefault(name, name));
    }

    private void RefuseLackingFeatures()
    {
        if (root["quantization_config"] is { Exists: true } quantization)
        {
            string method = quantization["quant_method"] is { Exists: true } named ? named.Text() : "weights of another form";
            throw new ModelFormatException(Path, quantization.Path, "none: weights of a folder are read in F32, F16 and BF16", method);
        }
        if (root["hidden_act"] is { Exists: true } activation && activation.Text() != "silu") throw activation.Error("silu: this build computes nothing else");
        if (root["rope_interleaved"] is { Exists: true } interleaved && interleaved.Flag()) throw interleaved.Error("false: the rows of a folder's heads stand in halves");
        bool windows = root["use_sliding_window"] is { Exists: true } uses ? uses.Flag() : prefix == "llama.";
        if (windows && root["sliding_window"] is { Exists: true } window && !(window.Number() >= (root["max_position_embeddings"] is { Exists: true } context ? context.Number() : double.PositiveInfinity)))
            throw window.Error("null: this build has no attention within a window");
        if (root["layer_types"] is { Exists: true } layers && layers.Elements().FirstOrDefault(e => e.Text() != "full_attention") is { Exists: true } other)
            throw other.Error("full_attention: this build computes nothing else");
    }

    private void Set(string key, string own, object value)
    {
        values[key] = value;
        ownNames[key] = own;
    }

    private int? TryGetCount(string key) => values.TryGetValue(prefix + key, out object? value) && value is long count and > 0 and <= int.MaxValue ? (int)count : null;

    /// <summary>What holds without <c>head_dim</c>.</summary>
    private int? HeadSize() => TryGetCount(DecoderBlock.Hidden) is { } hidden && TryGetCount(DecoderBlock.Heads) is { } heads && hidden >= heads ? hidden / heads : null;

    /// <summary>An integer as it is; anything else as float32, which is what GGUF keeps.</summary>
    private static object Number(JsonPart part)
    {
        if (part.Value.ValueKind == JsonValueKind.Number && part.Value.TryGetInt64(out long integer)) return integer;
        return (float)part.Number();
    }
}
