using System.Text;
using System.Text.Json.Nodes;

namespace Inference.Models.Tests;

/// <summary>A small valid model of one or more files, to be damaged.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Entry">What to open, relative to its folder; empty: the folder.</param>
/// <param name="Files">Its files, by name.</param>
internal sealed record FuzzModel(string Name, string Entry, IReadOnlyList<FuzzModel.Part> Files)
{
    /// <summary>A file with its bytes.</summary>
    /// <param name="Name">File name.</param>
    /// <param name="Bytes">Content.</param>
    /// <param name="Header">Bytes at the start that are no weights.</param>
    /// <param name="IsText">Whether those are JSON.</param>
    internal sealed record Part(string Name, byte[] Bytes, int Header, bool IsText);

    private const int Heads = 2, HeadDim = 16, FeedForward = 64;

    private static readonly string[] Pieces = ["<unk>", "<s>", "</s>", "▁", "a", "b", "▁a", "ab"], ByteLevelPieces = ["<|endoftext|>", "<|im_end|>", "Ġ", "a", "b", "ab", "Ġa", "c"];

    /// <summary>GGUF files: three families of tokenizer, every type of tensor, one split in two.</summary>
    public static IReadOnlyList<FuzzModel> Gguf { get; } =
    [
        OneFile("llama, SentencePiece, floats", SentencePiece(Writer("llama", 32, [0, 1, 30])).Set("llama.rope.scaling.type", "yarn").Set("llama.rope.scaling.factor", 4f).AddF32("rope_freqs.weight", [8], i => 1 + i)),
        OneFile("qwen2, byte-level, blocks of 32", ByteLevel(Writer("qwen2", 32, [2, 3, 6, 7, 8, 20, 39]))),
        OneFile("qwen3, unigram, blocks of 256", Unigram(Writer("qwen3", 256, [10, 11, 12, 13, 14, 16, 17, 18, 19, 21, 22, 23, 29, 34, 35]))),
        Split("llama in two files", SentencePiece(Writer("llama", 32, [1]))),
    ];

    /// <summary>Hugging Face folders: one file and shards, tokenizer.json of two families and tokenizer.model.</summary>
    public static IReadOnlyList<FuzzModel> Folders { get; } =
    [
        Folder("llama folder with characters", "llama", 1, folder => folder.Configure("rope_scaling", JsonNode.Parse("""{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":16}"""))),
        Folder("qwen2 folder in two shards with a pattern", "qwen2", 2, folder => folder.Set("tokenizer.json", SplitByPattern())),
        Folder("qwen3 folder with tokenizer.model", "qwen3", 1, folder => folder.Remove("tokenizer.json").Set("tokenizer.model", SentencePieceFile.Write(
            [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("▁", -1, 1), ("a", -2, 1), ("b", -3, 1), ("▁a", -0.5f, 1), ("ab", -0.25f, 1)], kind: 2))),
    ];

    public long Bytes => Files.Sum(file => file.Bytes.LongLength);

    private static FuzzModel OneFile(string name, GgufWriter writer) => new(name, "model.gguf", [GgufPart("model.gguf", writer)]);

    private static Part GgufPart(string name, GgufWriter writer)
    {
        byte[] bytes = writer.ToArray();
        return new(name, bytes, bytes.Length - writer.Tensors.Sum(t => t.Data.Length), IsText: false);
    }

    private static FuzzModel Split(string name, GgufWriter first)
    {
        var second = new GgufWriter();
        int count = first.Tensors.Count;
        second.Tensors.AddRange(first.Tensors.Skip(count / 2));
        first.Tensors.RemoveRange(count / 2, count - count / 2);
        GgufWriter[] writers = [first, second];
        for (int i = 0; i < 2; i++) writers[i].Set("split.no", (ushort)i).Set("split.count", (ushort)2).Set("split.tensors.count", count);
        return new(name, "m-00001-of-00002.gguf", [.. writers.Select((writer, i) => GgufPart($"m-{i + 1:d5}-of-00002.gguf", writer))]);
    }

    private static FuzzModel Folder(string name, string architecture, int shards, Action<TinyFolder> change)
    {
        using var folder = new TinyFolder(architecture);
        change(folder);
        if (shards == 1) folder.Save();
        else folder.SaveSharded(shards);
        return new(name, "", [.. Directory.GetFiles(folder.Path).Order(StringComparer.Ordinal).Select(Read)]);

        static Part Read(string path)
        {
            byte[] bytes = File.ReadAllBytes(path);
            bool weights = path.EndsWith(".safetensors", StringComparison.Ordinal);
            return new(Path.GetFileName(path), bytes, weights ? 8 + (int)BitConverter.ToUInt64(bytes) : bytes.Length, !path.EndsWith(".model", StringComparison.Ordinal));
        }
    }

    private static GgufWriter SentencePiece(GgufWriter writer) => Tokens(writer, "llama", Pieces, [2, 3, 3, 1, 1, 1, 1, 1])
        .Set("tokenizer.ggml.scores", new[] { 0f, 0, 0, -1, -2, -3, -0.5f, -0.25f }).Set("tokenizer.ggml.bos_token_id", 1u).Set("tokenizer.ggml.eos_token_id", 2u)
        .Set("tokenizer.chat_template", "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}{% endfor %}");

    private static GgufWriter ByteLevel(GgufWriter writer) => Tokens(writer, "gpt2", ByteLevelPieces, [3, 3, 1, 1, 1, 1, 1, 1])
        .Set("tokenizer.ggml.merges", new[] { "a b", "Ġ a" }).Set("tokenizer.ggml.pre", "qwen2").Set("tokenizer.ggml.eos_token_id", 1u).Set("tokenizer.ggml.add_bos_token", false);

    private static GgufWriter Unigram(GgufWriter writer) => Tokens(writer, "t5", Pieces, [2, 3, 3, 1, 1, 1, 1, 1])
        .Set("tokenizer.ggml.scores", new[] { 0f, 0, 0, -1, -2, -3, -0.5f, -0.25f }).Set("tokenizer.ggml.unknown_token_id", 0u).Set("tokenizer.ggml.remove_extra_whitespaces", true);

    private static GgufWriter Tokens(GgufWriter writer, string family, string[] tokens, int[] types) =>
        writer.Set("tokenizer.ggml.model", family).Set("tokenizer.ggml.tokens", tokens).Set("tokenizer.ggml.token_type", types);

    /// <summary>A tokenizer.json with most kinds of parts: normalizers, a pattern, byte fallback, added tokens, a post-processor.</summary>
    private static JsonObject SplitByPattern() => SmallTokenizerJson.Characters(["<unk>", "<s>", "</s>", "a", "b", "ab", " ", "d"], "a b")
        .With("normalizer", """{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":"x+"},"content":"a"}]}""")
        .With("pre_tokenizer", """{"type":"Split","pattern":{"Regex":"\\s?\\p{L}{1,3}|(?i:b)|[^\\s\\p{N}]+(?!\\S)|\\s+"},"behavior":"Isolated","invert":false}""")
        .With("post_processor", """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}}""")
        .WithToken(1, "<s>", "special", "lstrip").WithToken(2, "</s>", "special", "rstrip");

    /// <summary>A model of 2 layers whose matrices have the given types in turn.</summary>
    private static GgufWriter Writer(string architecture, int hidden, uint[] types)
    {
        const int vocabulary = 8;
        var random = new Random(hidden + types.Length);
        int next = 0;
        GgufWriter writer = new GgufWriter()
            .Set("general.architecture", architecture).Set("general.name", "fuzz").Set($"{architecture}.block_count", 2u).Set($"{architecture}.context_length", 128u)
            .Set($"{architecture}.embedding_length", (uint)hidden).Set($"{architecture}.feed_forward_length", (uint)FeedForward).Set($"{architecture}.attention.head_count", (uint)Heads)
            .Set($"{architecture}.attention.head_count_kv", 1u).Set($"{architecture}.attention.key_length", (uint)HeadDim).Set($"{architecture}.attention.value_length", (uint)HeadDim)
            .Set($"{architecture}.attention.layer_norm_rms_epsilon", 1e-5f).Set($"{architecture}.rope.freq_base", 10000f);
        Matrix("token_embd.weight", hidden, vocabulary);
        Vector("output_norm.weight", hidden);
        Matrix("output.weight", hidden, vocabulary);
        for (int layer = 0; layer < 2; layer++)
        {
            string blk = $"blk.{layer}.";
            Vector(blk + "attn_norm.weight", hidden);
            Matrix(blk + "attn_q.weight", hidden, Heads * HeadDim);
            Matrix(blk + "attn_k.weight", hidden, HeadDim);
            Matrix(blk + "attn_v.weight", hidden, HeadDim);
            Matrix(blk + "attn_output.weight", Heads * HeadDim, hidden);
            Vector(blk + "ffn_norm.weight", hidden);
            Matrix(blk + "ffn_gate.weight", hidden, FeedForward);
            Matrix(blk + "ffn_up.weight", hidden, FeedForward);
            Matrix(blk + "ffn_down.weight", FeedForward, hidden);
            foreach (string name in (string[])(architecture == "qwen2" ? ["attn_q.bias", "attn_k.bias", "attn_v.bias"] : [])) Vector(blk + name, name == "attn_q.bias" ? Heads * HeadDim : HeadDim);
            foreach (string name in (string[])(architecture == "qwen3" ? ["attn_q_norm.weight", "attn_k_norm.weight"] : [])) Vector(blk + name, HeadDim);
        }
        return writer;

        void Vector(string name, int length) => writer.AddF32(name, [(ulong)length], _ => 0.5f + random.NextSingle());

        void Matrix(string name, int columns, int rows)
        {
            uint type = types[next++ % types.Length];
            GgmlType size = GgmlType.Of(type);
            // Where rows are too short for the type, bytes of 32 elements do.
            if (columns % size.BlockElements != 0) size = GgmlType.Of(type = 8);
            byte[] data = new byte[columns / size.BlockElements * size.BlockBytes * rows];
            random.NextBytes(data);
            // Small numbers: the high byte of a float16, bfloat16 or float32 is below 0x3c.
            if (size.BlockElements == 1)
                for (int i = size.BlockBytes - 1; i < data.Length; i += size.BlockBytes) data[i] &= 0xb7;
            writer.Tensors.Add(new(name, type, [(ulong)columns, (ulong)rows], data));
        }
    }
}
