namespace Inference.Models;

/// <content>Metadata as it is stored, for who copies it.</content>
internal sealed unsafe partial class GgufFile
{
    /// <summary>
    /// The bytes of a value as they stand behind its type: of an array element type, count and elements. A copy of them is exact, also of strings that are no UTF-8.
    /// </summary>
    public ReadOnlySpan<byte> RawValue(string key)
    {
        if (!TryFind(key, out GgufValue found)) throw new ModelFormatException(Path, key, "a value", Missing);
        // An array's element type and count stand before its first element.
        long start = found.Type == GgufType.Array ? found.Offset - 12 : found.Offset;
        GgufCursor cursor = At(found);
        SkipValues(ref cursor, key, found.ElementType, found.Count);
        return new(mapping.Data + start, checked((int)(cursor.Position - start)));
    }
}
