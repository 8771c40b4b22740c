using System.Runtime.InteropServices;
using System.Text;

namespace Inference.Models;

/// <content>
/// Typed access to metadata. A <c>TryGet</c> is false when the key is absent; a value of another type is an error that names file, key, expected and
/// found type, never "absent". The <c>Require</c> forms make absence an error too.
/// </content>
internal sealed unsafe partial class GgufFile
{
    private const string Missing = "no such key";

    public string[] RequireStringArray(string key) => TryGetStringArray(key) ?? throw new ModelFormatException(Path, key, "array of string", Missing);

    /// <summary>A string; bytes that are no UTF-8 become U+FFFD.</summary>
    public override bool TryGetString(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? value)
    {
        value = null;
        if (!TryFind(key, out GgufValue found)) return false;
        if (found.Type != GgufType.String) throw Mismatch(key, "string", found);
        GgufCursor cursor = At(found);
        value = Encoding.UTF8.GetString(cursor.ReadBytes(key));
        return true;
    }

    public override bool TryGetInteger(string key, out long value)
    {
        value = 0;
        if (!TryFind(key, out GgufValue found)) return false;
        GgufCursor cursor = At(found);
        value = ReadInteger(ref cursor, found.Type, key) ?? throw Mismatch(key, "integer", found);
        return true;
    }

    // Widening a float is exact.
    public override bool TryGetNumber(string key, out double value)
    {
        value = 0;
        if (!TryFind(key, out GgufValue found)) return false;
        GgufCursor cursor = At(found);
        value = found.Type switch
        {
            GgufType.F32 => cursor.Read<float>(key),
            GgufType.F64 => cursor.Read<double>(key),
            _ => ReadInteger(ref cursor, found.Type, key) ?? throw Mismatch(key, "number", found),
        };
        return true;
    }

    public override bool TryGetBool(string key, out bool value)
    {
        value = false;
        if (!TryFind(key, out GgufValue found)) return false;
        if (found.Type != GgufType.Bool) throw Mismatch(key, "bool", found);
        value = At(found).Read<byte>(key) != 0;
        return true;
    }

    /// <summary>Elements of an array whatever their type, or null when the key is absent.</summary>
    public long? ArrayLength(string key) => !TryFind(key, out GgufValue found) ? null : found.Type == GgufType.Array ? found.Count : throw Mismatch(key, "array", found);

    /// <summary>The strings of an array, or null when the key is absent.</summary>
    public string[]? TryGetStringArray(string key)
    {
        if (!TryFind(key, out GgufValue found)) return null;
        if (found.Type != GgufType.Array || found.ElementType != GgufType.String) throw Mismatch(key, "array of string", found);
        var values = new string[ArrayCount(key, found)];
        GgufCursor cursor = At(found);
        for (int i = 0; i < values.Length; i++) values[i] = Encoding.UTF8.GetString(cursor.ReadBytes(key));
        return values;
    }

    /// <summary>An array of 32- or 64-bit floats as float32, or null when the key is absent.</summary>
    public float[]? TryGetFloatArray(string key)
    {
        if (!TryFind(key, out GgufValue found)) return null;
        if (found.Type != GgufType.Array || found.ElementType is not (GgufType.F32 or GgufType.F64)) throw Mismatch(key, "array of f32", found);
        var values = new float[ArrayCount(key, found)];
        if (found.ElementType == GgufType.F32) Elements(found).CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
        else
        {
            GgufCursor cursor = At(found);
            for (int i = 0; i < values.Length; i++) values[i] = (float)cursor.Read<double>(key);
        }
        return values;
    }

    /// <summary>An array of integers of any width that fit an int, or null when the key is absent.</summary>
    public int[]? TryGetIntArray(string key)
    {
        if (!TryFind(key, out GgufValue found)) return null;
        if (found.Type != GgufType.Array) throw Mismatch(key, "array of i32", found);
        var values = new int[ArrayCount(key, found)];
        if (found.ElementType == GgufType.I32) Elements(found).CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
        else
        {
            GgufCursor cursor = At(found);
            for (int i = 0; i < values.Length; i++)
            {
                long value = ReadInteger(ref cursor, found.ElementType, key) ?? throw Mismatch(key, "array of i32", found);
                values[i] = value == (int)value ? (int)value : throw new ModelFormatException(Path, $"{key}[{i}]", "an integer of 32 bits", $"{value}");
            }
        }
        return values;
    }

    /// <summary>A value as text; of an array the count and the first elements.</summary>
    public string Describe(string key, int maxElements = 6, int maxCharacters = 200)
    {
        if (!TryFind(key, out GgufValue found)) throw new ModelFormatException(Path, key, "a value", Missing);
        GgufCursor cursor = At(found);
        var shown = new string[Math.Min(found.Count, maxElements)];
        for (int i = 0; i < shown.Length; i++) shown[i] = ReadText(ref cursor, found.ElementType, key);
        string text = string.Join(", ", shown);
        if (text.Length > maxCharacters) text = text[..maxCharacters] + "…";
        if (found.Type != GgufType.Array) return text;
        return $"[{found.Count}] {text}{(found.Count > shown.Length ? ", …" : "")}";
    }

    private bool TryFind(string key, out GgufValue value)
    {
        ObjectDisposedException.ThrowIf(mapping.Data == null, this);
        return metadata.TryGetValue(key, out value);
    }

    private GgufCursor At(GgufValue value) => new(Path, mapping, value.Offset);

    private ModelFormatException Mismatch(string key, string expected, GgufValue found) => new(Path, key, expected, found.TypeName);

    private int ArrayCount(string key, GgufValue found) =>
        found.Count <= Array.MaxLength / 8 ? (int)found.Count : throw new ModelFormatException(Path, key, $"at most {Array.MaxLength / 8} elements", $"{found.Count}");

    /// <summary>The bytes of an array of 4-byte elements, which opening the file found to lie inside it.</summary>
    private ReadOnlySpan<byte> Elements(GgufValue found) => new(mapping.Data + found.Offset, checked((int)(found.Count * 4)));

    private static long? ReadInteger(ref GgufCursor cursor, GgufType type, string key) => type switch
    {
        GgufType.U8 => cursor.Read<byte>(key),
        GgufType.I8 => cursor.Read<sbyte>(key),
        GgufType.U16 => cursor.Read<ushort>(key),
        GgufType.I16 => cursor.Read<short>(key),
        GgufType.U32 => cursor.Read<uint>(key),
        GgufType.I32 => cursor.Read<int>(key),
        GgufType.I64 => cursor.Read<long>(key),
        GgufType.U64 => cursor.Read<ulong>(key) is var value && value <= long.MaxValue ? (long)value : throw cursor.Error(key, "an integer below 2^63", $"{value}"),
        _ => null,
    };

    private static string ReadText(ref GgufCursor cursor, GgufType type, string key) => type switch
    {
        GgufType.String => Encoding.UTF8.GetString(cursor.ReadBytes(key)),
        GgufType.Bool => cursor.Read<byte>(key) != 0 ? "true" : "false",
        GgufType.F32 => cursor.Read<float>(key).ToString(System.Globalization.CultureInfo.InvariantCulture),
        GgufType.F64 => cursor.Read<double>(key).ToString(System.Globalization.CultureInfo.InvariantCulture),
        GgufType.U64 => cursor.Read<ulong>(key).ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => (ReadInteger(ref cursor, type, key) ?? 0).ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}
