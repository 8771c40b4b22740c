using Lane = System.Runtime.Intrinsics.Vector256;
using Lanes = System.Runtime.Intrinsics.Vector256<float>;

namespace Inference.Models;

/// <summary>The values that a type's codes stand for before they are scaled: a weight is scale * level. Eight at a time, one per lane.</summary>
internal interface ILevels
{
    /// <summary>The level furthest from 0: a block's largest weight should land near it.</summary>
    static abstract float Outermost { get; }

    /// <summary>How far around <see cref="Outermost"/> the best scale puts the largest weight, as a fraction of it: about one level where levels are few.</summary>
    static abstract float Reach { get; }

    /// <summary>The level nearest to each lane.</summary>
    static abstract Lanes Nearest(Lanes values);

    /// <summary>The stored codes, 0 and up, of levels that <see cref="Nearest"/> gave.</summary>
    static abstract Lanes Codes(Lanes levels);
}

/// <summary>-4 ... 3: Q3_K.</summary>
internal readonly struct SignedLevels3 : ILevels
{
    public static float Outermost => -4;
    public static float Reach => 0.3f;
    public static Lanes Nearest(Lanes values) => SignedLevels.Nearest(values, 4);
    public static Lanes Codes(Lanes levels) => levels + Lane.Create(4f);
}

/// <summary>-8 ... 7: Q4_0.</summary>
internal readonly struct SignedLevels4 : ILevels
{
    public static float Outermost => -8;
    public static float Reach => 0.2f;
    public static Lanes Nearest(Lanes values) => SignedLevels.Nearest(values, 8);
    public static Lanes Codes(Lanes levels) => levels + Lane.Create(8f);
}

/// <summary>-16 ... 15: Q5_0.</summary>
internal readonly struct SignedLevels5 : ILevels
{
    public static float Outermost => -16;
    public static float Reach => 0.1f;
    public static Lanes Nearest(Lanes values) => SignedLevels.Nearest(values, 16);
    public static Lanes Codes(Lanes levels) => levels + Lane.Create(16f);
}

/// <summary>-32 ... 31: Q6_K.</summary>
internal readonly struct SignedLevels6 : ILevels
{
    public static float Outermost => -32;
    public static float Reach => 0.05f;
    public static Lanes Nearest(Lanes values) => SignedLevels.Nearest(values, 32);
    public static Lanes Codes(Lanes levels) => levels + Lane.Create(32f);
}

/// <summary>The 16 levels of IQ4_NL and IQ4_XS, denser around 0, where most weights are.</summary>
internal readonly struct NonLinearLevels : ILevels
{
    private static readonly float[] Values = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    public static float Outermost => -127;
    public static float Reach => 0.2f;

    public static Lanes Nearest(Lanes values)
    {
        Lanes level = Lane.Create(Values[0]);
        for (int i = 1; i < Values.Length; i++)
            level += Lane.ConditionalSelect(Lane.GreaterThan(values, Lane.Create((Values[i - 1] + Values[i]) / 2)), Lane.Create(Values[i] - Values[i - 1]), Lanes.Zero);
        return level;
    }

    public static Lanes Codes(Lanes levels)
    {
        Lanes code = Lanes.Zero;
        for (int i = 1; i < Values.Length; i++) code += Lane.ConditionalSelect(Lane.GreaterThanOrEqual(levels, Lane.Create(Values[i])), Lanes.One, Lanes.Zero);
        return code;
    }
}

/// <summary>What the evenly spaced levels share.</summary>
internal static class SignedLevels
{
    /// <summary>The nearest whole number from -<paramref name="half"/> to <paramref name="half"/> - 1.</summary>
    public static Lanes Nearest(Lanes values, float half) => Lane.Min(Lane.Max(Lane.Round(values), Lane.Create(-half)), Lane.Create(half - 1));
}
