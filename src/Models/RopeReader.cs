namespace Inference.Models;

/// <summary>Reads the rotary embedding's numbers and its scaling, and refuses the kinds of scaling that the decoder does not compute.</summary>
internal static class RopeReader
{
    public static RopeSpec Read(ModelFile file, Architecture architecture, Numbers numbers)
    {
        string prefix = $"{architecture.Name}.rope.";
        var rope = new RopeSpec
        {
            Theta = numbers[DecoderBlock.RopeTheta],
            Dims = numbers.Count(DecoderBlock.RopeDims),
            Style = architecture.RopeStyle,
            Amplitude = Positive(file, prefix + "scaling.attn_factor", 1),
        };
        // A factor of 0 says "none" in files that write the key regardless; scale_linear is the key of 2023.
        double scaling = Positive(file, prefix + "scaling.factor", Positive(file, prefix + "scale_linear", 1));
        string type = file.TryGetString(prefix + "scaling.type", out string? named) ? named : "linear";
        switch (type)
        {
            case "none": return rope;
            case "linear": return rope with { Scaling = scaling };
            case "yarn":
                Only(file, prefix + "scaling.yarn_ext_factor", 1);
                Only(file, prefix + "scaling.yarn_attn_factor", 1);
                Only(file, prefix + "scaling.yarn_log_multiplier", 0);
                return rope with
                {
                    Scaling = scaling,
                    Amplitude = rope.Amplitude * YarnSpec.Amplitude(scaling),
                    Yarn = new(
                        Positive(file, prefix + "scaling.original_context_length", numbers[DecoderBlock.Context]),
                        Positive(file, prefix + "scaling.yarn_beta_fast", 32),
                        Positive(file, prefix + "scaling.yarn_beta_slow", 1)),
                };
            default: throw file.Error(prefix + "scaling.type", "none, linear or yarn", type);
        }
    }

    private static double Positive(ModelFile file, string key, double fallback)
    {
        if (!file.TryGetNumber(key, out double value) || value == 0) return fallback;
        return double.IsFinite(value) && value > 0 ? value : throw file.Error(key, "a finite number above 0", $"{value}");
    }

    private static void Only(ModelFile file, string key, double value)
    {
        if (file.TryGetNumber(key, out double found) && found != value) throw file.Error(key, $"{value}: this build computes nothing else", $"{found}");
    }
}
