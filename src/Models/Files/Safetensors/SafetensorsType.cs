namespace Inference.Models;

/// <summary>An element type of safetensors files.</summary>
/// <param name="Name">As headers write it.</param>
/// <param name="Bits">Bits of an element.</param>
/// <param name="TypeNumber">ggml's number of the same type; <see cref="uint.MaxValue"/> where it has none.</param>
internal sealed record SafetensorsType(string Name, int Bits, uint TypeNumber = uint.MaxValue)
{
    /// <summary>All that the format names. What this build cannot compute with is listed, and refused when it is bound.</summary>
    public static IReadOnlyList<SafetensorsType> All { get; } =
    [
        new("F32", 32, 0), new("F16", 16, 1), new("BF16", 16, 30), new("F64", 64, 28), new("I8", 8, 24), new("I16", 16, 25), new("I32", 32, 26), new("I64", 64, 27),
        new("U8", 8), new("U16", 16), new("U32", 32), new("U64", 64), new("BOOL", 8), new("C64", 64),
        new("F8_E4M3", 8), new("F8_E5M2", 8), new("F8_E8M0", 8), new("F6_E2M3", 6), new("F6_E3M2", 6), new("F4", 4),
    ];

    /// <summary>The type of that name, or null.</summary>
    public static SafetensorsType? Find(string name)
    {
        foreach (SafetensorsType type in All)
            if (type.Name == name) return type;
        return null;
    }
}
