using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Inference.Sampling;

namespace Inference.Evaluation;

/// <summary>
/// One row of logits as a file keeps it: lowest value and step of an even grid (float32 each), id of the largest logit (int32), a grid point per
/// token (uint16, little-endian), XXH3-64 of all that. Half the size of float32, and a probability is off by a factor of at most e^0.00025.
/// </summary>
internal static class SavedRow
{
    /// <summary>Logits further below the largest than this count as this far below: e^-32 is 1e-14.</summary>
    private const float Range = 32;

    private const int Head = 12, Check = 8;

    public static int Bytes(int vocabulary) => Head + 2 * vocabulary + Check;

    /// <param name="row">[vocabulary]</param>
    /// <param name="record">[<see cref="Bytes"/>]</param>
    public static void Encode(ReadOnlySpan<float> row, Span<byte> record)
    {
        float max = LogitMath.Max(row), min = max;
        foreach (float value in row) min = MathF.Min(min, value);
        min = MathF.Max(min, max - Range);
        float step = (max - min) / ushort.MaxValue, inverse = step > 0 ? 1 / step : 0;
        BinaryPrimitives.WriteSingleLittleEndian(record, min);
        BinaryPrimitives.WriteSingleLittleEndian(record[4..], step);
        BinaryPrimitives.WriteInt32LittleEndian(record[8..], LogitMath.ArgMax(row));
        Span<ushort> points = MemoryMarshal.Cast<byte, ushort>(record.Slice(Head, 2 * row.Length));
        for (int i = 0; i < row.Length; i++) points[i] = (ushort)Math.Clamp(MathF.Round((row[i] - min) * inverse), 0, ushort.MaxValue);
        BinaryPrimitives.WriteUInt64LittleEndian(record[^Check..], XxHash3.HashToUInt64(record[..^Check]));
    }

    /// <summary>Whether the record is as it was written.</summary>
    public static bool IsIntact(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadUInt64LittleEndian(record[^Check..]) == XxHash3.HashToUInt64(record[..^Check]);

    /// <summary>Id of the largest logit, the lowest of equals.</summary>
    public static int Top(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadInt32LittleEndian(record[8..]);

    /// <param name="record">[<see cref="Bytes"/>]</param>
    /// <param name="row">[vocabulary]</param>
    public static void Decode(ReadOnlySpan<byte> record, Span<float> row)
    {
        float min = BinaryPrimitives.ReadSingleLittleEndian(record), step = BinaryPrimitives.ReadSingleLittleEndian(record[4..]);
        ReadOnlySpan<ushort> points = MemoryMarshal.Cast<byte, ushort>(record.Slice(Head, 2 * row.Length));
        for (int i = 0; i < row.Length; i++) row[i] = min + step * points[i];
    }
}
