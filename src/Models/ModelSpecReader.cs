namespace Inference.Models;

/// <summary>Makes a <see cref="ModelSpec"/> from a file's metadata and checks that the numbers go together.</summary>
internal static class ModelSpecReader
{
    /// <exception cref="ModelFormatException">A number is missing or impossible, or names a feature this build lacks.</exception>
    public static ModelSpec Read(ModelFile file, Architecture architecture)
    {
        Numbers n = Numbers.Read(file, architecture);
        var spec = new ModelSpec
        {
            Architecture = architecture.Name,
            Layers = n.Count(DecoderBlock.Layers),
            Hidden = n.Count(DecoderBlock.Hidden),
            Heads = n.Count(DecoderBlock.Heads),
            KvHeads = n.Count(DecoderBlock.KvHeads),
            KeyDim = n.Count(DecoderBlock.KeyDim),
            ValueDim = n.Count(DecoderBlock.ValueDim),
            FeedForward = n.Count(DecoderBlock.FeedForward),
            Vocabulary = ReadVocabulary(file, architecture),
            Context = n.Count(DecoderBlock.Context),
            RmsEpsilon = (float)n[DecoderBlock.RmsEpsilon],
            Rope = RopeReader.Read(file, architecture, n),
            QkNorm = file.FindTensor(TensorNames.InLayer(0, TensorNames.QueryNorm)) is not null,
            QkvBias = file.FindTensor(TensorNames.InLayer(0, TensorNames.QueryBias)) is not null,
            TiedHead = file.FindTensor(TensorNames.Output) is null,
        };
        Check(file, spec);
        return spec;
    }

    private static void Check(ModelFile file, ModelSpec spec)
    {
        // Every layer has tensors, so the directory bounds the layers that binding walks.
        Require(spec.Layers <= file.Tensors.Count, DecoderBlock.Layers, $"at most {file.Tensors.Count}, the number of tensors in the file", spec.Layers);
        Require(spec.Heads % spec.KvHeads == 0, DecoderBlock.KvHeads, $"a divisor of the {spec.Heads} heads", spec.KvHeads);
        Require(spec.KeyDim % 16 == 0, DecoderBlock.KeyDim, "a multiple of 16 (the width of a KV tile)", spec.KeyDim);
        Require(spec.ValueDim % 16 == 0, DecoderBlock.ValueDim, "a multiple of 16 (the width of a KV tile)", spec.ValueDim);
        Require(spec.Rope.Dims % 2 == 0 && spec.Rope.Dims <= spec.KeyDim, DecoderBlock.RopeDims, $"an even number up to {spec.KeyDim}, the size of a key head", spec.Rope.Dims);
        Require(spec.RmsEpsilon > 0, DecoderBlock.RmsEpsilon, "a number above 0 in float32", spec.RmsEpsilon);
        Require((long)spec.Heads * Math.Max(spec.KeyDim, spec.ValueDim) <= int.MaxValue, DecoderBlock.Heads, "heads times head size below 2^31", spec.Heads);

        void Require(bool condition, string key, string expected, object found)
        {
            if (!condition) throw file.Error($"{spec.Architecture}.{key}", expected, $"{found}");
        }
    }

    /// <summary>Rows of the embedding. The vocabulary must agree: an id without a text could be sampled otherwise.</summary>
    private static int ReadVocabulary(ModelFile file, Architecture architecture)
    {
        long? tokens = file.TokenCount;
        if (file.FindTensor(TensorNames.TokenEmbedding) is { } table && table.Rows <= int.MaxValue)
        {
            if (tokens is null || tokens == table.Rows) return (int)table.Rows;
            throw file.Error(VocabularyData.Key("tokens"), $"{table.Rows} tokens, one for each row of {file.OwnName(TensorNames.TokenEmbedding)}", $"{tokens}");
        }
        // Binding will report the missing table; until then the shapes of others need a number.
        if (tokens is null && file.TryGetInteger($"{architecture.Name}.vocab_size", out long size)) tokens = size;
        return (int)Math.Clamp(tokens ?? 1, 1, int.MaxValue);
    }
}
