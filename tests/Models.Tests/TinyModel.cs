namespace Inference.Models.Tests;

/// <summary>Smallest GGUF models of each architecture, with arbitrary weights: 2 layers, width 32, 2 heads of 16, 1 KV head, 8 tokens.</summary>
internal static class TinyModel
{
    public const int Layers = 2, Hidden = 32, Heads = 2, KvHeads = 1, HeadDim = 16, FeedForward = 64, Vocabulary = 8;

    public static GgufWriter Writer(string architecture, bool tied = false)
    {
        GgufWriter writer = new GgufWriter()
            .Set("general.architecture", architecture)
            .Set("general.name", "tiny " + architecture)
            .Set($"{architecture}.block_count", (uint)Layers)
            .Set($"{architecture}.context_length", 128u)
            .Set($"{architecture}.embedding_length", (uint)Hidden)
            .Set($"{architecture}.feed_forward_length", (uint)FeedForward)
            .Set($"{architecture}.attention.head_count", (uint)Heads)
            .Set($"{architecture}.attention.head_count_kv", (uint)KvHeads)
            .Set($"{architecture}.attention.layer_norm_rms_epsilon", 1e-5f)
            .Set("tokenizer.ggml.tokens", new[] { "<unk>", "<s>", "</s>", "a", "b", "<|im_end|>", "<|eot_id|>", "d" })
            .Set("tokenizer.ggml.token_type", new[] { 2, 3, 3, 1, 1, 3, 1, 1 })
            .Set("tokenizer.ggml.eos_token_id", 2u);
        Add("token_embd.weight", Hidden, Vocabulary);
        Add("output_norm.weight", Hidden);
        if (!tied) Add("output.weight", Hidden, Vocabulary);
        for (int layer = 0; layer < Layers; layer++)
        {
            string blk = $"blk.{layer}.";
            Add(blk + "attn_norm.weight", Hidden);
            Add(blk + "attn_q.weight", Hidden, Heads * HeadDim);
            Add(blk + "attn_k.weight", Hidden, KvHeads * HeadDim);
            Add(blk + "attn_v.weight", Hidden, KvHeads * HeadDim);
            Add(blk + "attn_output.weight", Heads * HeadDim, Hidden);
            Add(blk + "ffn_norm.weight", Hidden);
            Add(blk + "ffn_gate.weight", Hidden, FeedForward);
            Add(blk + "ffn_up.weight", Hidden, FeedForward);
            Add(blk + "ffn_down.weight", FeedForward, Hidden);
            if (architecture == "qwen2")
            {
                Add(blk + "attn_q.bias", Heads * HeadDim);
                Add(blk + "attn_k.bias", KvHeads * HeadDim);
                Add(blk + "attn_v.bias", KvHeads * HeadDim);
            }
            if (architecture == "qwen3")
            {
                Add(blk + "attn_q_norm.weight", HeadDim);
                Add(blk + "attn_k_norm.weight", HeadDim);
            }
        }
        return writer;

        void Add(string name, params int[] dims)
        {
            var random = new Random(name.Length * 31 + dims[0]);
            writer.AddF32(name, [.. dims.Select(d => (ulong)d)], _ => (float)(random.NextDouble() - 0.5) * 0.4f);
        }
    }
}
