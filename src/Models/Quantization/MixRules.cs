using Inference.Kernels;

namespace Inference.Models;

/// <summary>What a tensor does, as far as mixes tell tensors apart.</summary>
internal enum TensorRole
{
    Other,

    /// <summary>The output matrix; also the embedding of a model whose output is tied to it.</summary>
    Output,
    Key,
    Value,

    /// <summary>Query, key and value in one matrix.</summary>
    QueryKeyValue,
    AttentionOutput,
    Down,
}

/// <summary>What the rules ask about a model.</summary>
/// <param name="Layers">Layers.</param>
/// <param name="HeadsPerKvHead">Query heads that share a head of keys and values.</param>
/// <param name="Experts">Experts of a layer; 0: dense.</param>
/// <param name="HasImportance">Whether an importance matrix guides the search.</param>
internal readonly record struct MixContext(int Layers, int HeadsPerKvHead, int Experts, bool HasImportance);

/// <summary>
/// Which tensors of a mix get another type than most, as users of llama.cpp expect it: what the output depends on most (values, the way down from the
/// feed-forward, the output matrix) gets more bits, in all layers or in some.
/// </summary>
internal static class MixRules
{
    /// <summary>Which layers a rule is about, or which models.</summary>
    private enum Where
    {
        Everywhere,

        /// <summary>The first and the last eighth of the layers, and every third one between.</summary>
        OuterAndThird,
        FirstEighth,
        FirstSixteenth,
        FirstFour,
        FirstTwo,

        /// <summary>Models in which 4 query heads or more share a value head: its matrix is small, and more depends on it.</summary>
        SharedHeads,

        /// <summary>The first eighth, without an importance matrix.</summary>
        FirstEighthUnguided,

        /// <summary>The first eighth, with an importance matrix.</summary>
        FirstEighthGuided,

        /// <summary>Models of 8 experts: what they share is small beside them.</summary>
        EightExperts,

        /// <summary>Models of 80 layers, 70 billion parameters: 8 heads share a value head.</summary>
        EightyLayers,
    }

    private const string BelowQ8_0 = "Q6_K Q5_1 Q5_K_M Q5_K_S Q5_0 Q4_1 Q4_K_M Q4_K_S Q4_0 IQ4_NL IQ4_XS Q3_K_L Q3_K_M Q3_K_S Q2_K Q2_K_S";

    private readonly record struct Rule(string Mixes, TensorRole Role, Where Where, TensorType Type);

    /// <summary>The first rule that fits holds. Without one, the mix's own type.</summary>
    private static readonly Rule[] Rules =
    [
        new(BelowQ8_0,          TensorRole.Output, Where.Everywhere, TensorType.Q6_K),

        new(BelowQ8_0,          TensorRole.Key, Where.EightExperts, TensorType.Q8_0),
        new(BelowQ8_0,          TensorRole.Value, Where.EightExperts, TensorType.Q8_0),

        new("Q5_K_M Q4_K_M",   TensorRole.Value, Where.OuterAndThird, TensorType.Q6_K),
        new("Q4_K_S",          TensorRole.Value, Where.FirstFour, TensorType.Q5_K),
        new("Q4_K_M Q4_K_S",   TensorRole.Value, Where.EightyLayers, TensorType.Q5_K),
        new("Q3_K_L",          TensorRole.Value, Where.Everywhere, TensorType.Q5_K),
        new("Q3_K_M",          TensorRole.Value, Where.FirstTwo, TensorType.Q5_K),
        new("Q3_K_M Q3_K_S",   TensorRole.Value, Where.EightyLayers, TensorType.Q5_K),
        new("Q3_K_M",          TensorRole.Value, Where.Everywhere, TensorType.Q4_K),
        new("Q2_K Q2_K_S",     TensorRole.Value, Where.EightyLayers, TensorType.Q5_K),
        new("Q2_K Q2_K_S",     TensorRole.Value, Where.SharedHeads, TensorType.Q4_K),
        new("Q2_K",            TensorRole.Value, Where.Everywhere, TensorType.Q3_K),
        new("IQ4_NL IQ4_XS",   TensorRole.Value, Where.SharedHeads, TensorType.Q5_K),

        new("Q5_K_M",          TensorRole.QueryKeyValue, Where.Everywhere, TensorType.Q6_K),
        new("Q4_K_M",          TensorRole.QueryKeyValue, Where.Everywhere, TensorType.Q5_K),
        new("Q3_K_L Q3_K_M",   TensorRole.QueryKeyValue, Where.Everywhere, TensorType.Q4_K),

        new("Q4_K_M Q4_K_S IQ4_NL IQ4_XS Q3_K_M Q3_K_S Q2_K", TensorRole.AttentionOutput, Where.EightExperts, TensorType.Q5_K),
        new("Q3_K_L",          TensorRole.AttentionOutput, Where.Everywhere, TensorType.Q5_K),
        new("Q3_K_M",          TensorRole.AttentionOutput, Where.Everywhere, TensorType.Q4_K),
        new("Q2_K",            TensorRole.AttentionOutput, Where.Everywhere, TensorType.Q3_K),

        new("Q5_K_M Q4_K_M",   TensorRole.Down, Where.OuterAndThird, TensorType.Q6_K),
        new("Q4_K_S",          TensorRole.Down, Where.FirstEighth, TensorType.Q5_K),
        new("IQ4_NL IQ4_XS",   TensorRole.Down, Where.FirstEighthUnguided, TensorType.Q5_K),
        new("Q5_0",            TensorRole.Down, Where.FirstEighthGuided, TensorType.Q5_1),
        new("Q4_0",            TensorRole.Down, Where.FirstEighthGuided, TensorType.Q4_1),
        new("Q3_K_L",          TensorRole.Down, Where.Everywhere, TensorType.Q5_K),
        new("Q3_K_M",          TensorRole.Down, Where.FirstSixteenth, TensorType.Q5_K),
        new("Q3_K_M",          TensorRole.Down, Where.Everywhere, TensorType.Q4_K),
        new("Q2_K_S",          TensorRole.Down, Where.FirstEighth, TensorType.Q4_K),
        new("Q2_K",            TensorRole.Down, Where.Everywhere, TensorType.Q3_K),
    ];

    /// <summary>What takes the place of a type of blocks of 256 where a row is no multiple of that: the nearest with blocks of 32.</summary>
    private static readonly Dictionary<TensorType, TensorType> Smaller = new()
    {
        [TensorType.Q6_K] = TensorType.Q8_0,
        [TensorType.Q5_K] = TensorType.Q5_1,
        [TensorType.Q4_K] = TensorType.Q5_0,
        [TensorType.Q3_K] = TensorType.Q4_0,
        [TensorType.Q2_K] = TensorType.Q4_0,
        [TensorType.IQ4_XS] = TensorType.IQ4_NL,
    };

    /// <summary>The type that a mix gives to a tensor.</summary>
    /// <param name="mix">The mix.</param>
    /// <param name="role">What the tensor does.</param>
    /// <param name="layer">Its layer, from 0; 0 where it has none.</param>
    /// <param name="context">The model.</param>
    public static TensorType TypeOf(QuantizationMix mix, TensorRole role, int layer, MixContext context)
    {
        foreach (Rule rule in Rules)
            if (rule.Role == role && Fits(rule.Where, layer, context) && rule.Mixes.Split(' ').Contains(mix.Name)) return rule.Type;
        return mix.Type;
    }

    /// <summary>The type itself, or what takes its place in rows of that length; F16 fits any.</summary>
    public static TensorType Fitting(TensorType type, long columns)
    {
        while (columns % GgmlType.Of((uint)type).BlockElements != 0) type = Smaller.GetValueOrDefault(type, TensorType.F16);
        return type;
    }

    private static bool Fits(Where where, int layer, MixContext context)
    {
        int count = context.Layers, eighth = count / 8;
        return where switch
        {
            Where.Everywhere => true,
            Where.OuterAndThird => layer < eighth || layer >= 7 * count / 8 || (layer - eighth) % 3 == 2,
            Where.FirstEighth => layer < eighth,
            Where.FirstSixteenth => layer < count / 16,
            Where.FirstFour => layer < 4,
            Where.FirstTwo => layer < 2,
            Where.SharedHeads => context.HeadsPerKvHead >= 4,
            Where.FirstEighthUnguided => layer < eighth && !context.HasImportance,
            Where.FirstEighthGuided => layer < eighth && context.HasImportance,
            Where.EightExperts => context.Experts == 8,
            Where.EightyLayers => count == 80,
            _ => false,
        };
    }
}
