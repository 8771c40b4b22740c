namespace Inference.Models;

/// <summary>Types of metadata values, numbered as in the GGUF specification.</summary>
internal enum GgufType : uint
{
    U8 = 0,
    I8 = 1,
    U16 = 2,
    I16 = 3,
    U32 = 4,
    I32 = 5,
    F32 = 6,
    Bool = 7,
    String = 8,
    Array = 9,
    U64 = 10,
    I64 = 11,
    F64 = 12,
}

internal static class GgufTypes
{
    /// <summary>The fewest bytes a value of that type takes in the file; 0 for a number that is no type. A string has at least its length.</summary>
    public static int MinimumBytes(GgufType type) => type switch
    {
        GgufType.U8 or GgufType.I8 or GgufType.Bool => 1,
        GgufType.U16 or GgufType.I16 => 2,
        GgufType.U32 or GgufType.I32 or GgufType.F32 => 4,
        GgufType.U64 or GgufType.I64 or GgufType.F64 or GgufType.String => 8,
        GgufType.Array => 12,
        _ => 0,
    };
}

/// <summary>Where a metadata value stands in the file.</summary>
/// <param name="Type">Its type.</param>
/// <param name="ElementType">Type of its elements if it is an array, else <paramref name="Type"/>.</param>
/// <param name="Offset">File offset of the value, or of an array's first element.</param>
/// <param name="Count">Elements; 1 unless it is an array.</param>
internal readonly record struct GgufValue(GgufType Type, GgufType ElementType, long Offset, long Count)
{
    /// <summary>The type in words, as error messages give it.</summary>
    public string TypeName => Type == GgufType.Array ? $"array of {Count} {ElementType.ToString().ToLowerInvariant()}" : Type.ToString().ToLowerInvariant();
}
