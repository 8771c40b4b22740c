namespace Inference.Models;

/// <summary>The rotary part of config.json, in its older form (<c>rope_theta</c>, <c>rope_scaling</c>) and the newer (<c>rope_parameters</c>).</summary>
internal static class RopeConfiguration
{
    private const string LlamaType = "llama3", Supported = "default, linear, yarn, or llama3 in a llama model";

    /// <summary>Longest head whose factors are made before the numbers are checked.</summary>
    private const int MaxHead = 4096;

    /// <param name="root">config.json.</param>
    /// <param name="takesFactors">Whether the architecture has divisors of its frequencies.</param>
    /// <param name="set">Takes a canonical key behind <c>rope.</c>, the file's own name, and the value.</param>
    public static void Read(JsonPart root, bool takesFactors, Action<string, string, object> set)
    {
        JsonPart scaling = Scaling(root);
        JsonPart theta = scaling.Exists && scaling["rope_theta"] is { Exists: true } inner ? inner : root["rope_theta"];
        if (theta.Exists) set("freq_base", theta.Path, (float)theta.Number());
        if (Partial(root, scaling) is { Exists: true } partial && partial.Number() != 1) throw partial.Error("1: this build turns whole heads of a folder's models");
        if (!scaling.Exists) return;
        JsonPart type = Type(scaling);
        switch (type.Exists ? type.Text() : "default")
        {
            case "default": break;
            case LlamaType when takesFactors: break; // see ReadLlamaFactors
            case "linear":
                set("scaling.type", type.Path, "linear");
                set("scaling.factor", $"{scaling.Path}.factor", (float)scaling["factor"].Number());
                break;
            case "yarn":
                ReadYarn(scaling, type, set);
                break;
            default: throw type.Error(Supported);
        }
    }

    /// <summary>
    /// Llama 3.1's divisors: 1 for waves that fit <c>high_freq_factor</c> times or more into the original context, <c>factor</c> for those that fit less than
    /// <c>low_freq_factor</c> times, and between them the inverse of a linear blend. Null where the model has none.
    /// </summary>
    public static float[]? ReadLlamaFactors(JsonPart root, int head)
    {
        JsonPart scaling = Scaling(root);
        if (!scaling.Exists || Type(scaling) is not { Exists: true } type || type.Text() != LlamaType) return null;
        if (head > MaxHead) throw root["head_dim"].Error($"at most {MaxHead}");
        JsonPart theta = scaling["rope_theta"] is { Exists: true } inner ? inner : root["rope_theta"];
        double @base = theta.Exists ? Positive(theta) : 10000, factor = Positive(scaling["factor"]);
        double low = Positive(scaling["low_freq_factor"]), high = Positive(scaling["high_freq_factor"]), context = Positive(scaling["original_max_position_embeddings"]);
        if (!(high > low)) throw scaling["high_freq_factor"].Error($"a number above low_freq_factor, {low}");
        var factors = new float[head / 2];
        for (int i = 0; i < factors.Length; i++)
        {
            double turns = context * Math.Pow(@base, -2.0 * i / head) / (2 * Math.PI), spared = Math.Clamp((turns - low) / (high - low), 0, 1);
            factors[i] = (float)(1 / ((1 - spared) / factor + spared));
        }
        return factors;
    }

    private static void ReadYarn(JsonPart scaling, JsonPart type, Action<string, string, object> set)
    {
        foreach (string name in (string[])["mscale", "mscale_all_dim"])
            if (scaling[name] is { Exists: true } mscale) throw mscale.Error("none: this build computes YaRN as its paper does");
        if (scaling["truncate"] is { Exists: true } truncate && !truncate.Flag()) throw truncate.Error("true: this build computes nothing else");
        JsonPart factor = scaling["factor"];
        set("scaling.type", type.Path, "yarn");
        set("scaling.factor", factor.Path, (float)Positive(factor));
        foreach ((string own, string canonical) in ((string, string)[])[("original_max_position_embeddings", "original_context_length"), ("beta_fast", "yarn_beta_fast"), ("beta_slow", "yarn_beta_slow")])
            if (scaling[own] is { Exists: true } part) set("scaling." + canonical, part.Path, (float)Positive(part));
        // The file gives the whole amplitude, the canonical key what is beside the paper's.
        if (scaling["attention_factor"] is { Exists: true } amplitude) set("scaling.attn_factor", amplitude.Path, (float)(Positive(amplitude) / YarnSpec.Amplitude(factor.Number())));
    }

    private static JsonPart Scaling(JsonPart root) => root["rope_parameters"] is { Exists: true } parameters ? parameters : root["rope_scaling"];

    private static JsonPart Type(JsonPart scaling) => scaling["rope_type"] is { Exists: true } type ? type : scaling["type"];

    private static JsonPart Partial(JsonPart root, JsonPart scaling) => scaling.Exists && scaling["partial_rotary_factor"] is { Exists: true } inner ? inner : root["partial_rotary_factor"];

    private static double Positive(JsonPart part) => part.Number() is > 0 and var value ? value : throw part.Error("a number above 0");
}
