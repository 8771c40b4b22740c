using System.Runtime.InteropServices;

namespace Inference.Models;

/// <summary>
/// The tokens of pieces seen lately. Text repeats its words, so most pieces are found here. Two places for each hash, the later one for newcomers;
/// bounded: 131,072 pieces of at most 32 characters, under 24 MB when full of long ones. Safe for concurrent use: entries never change, and a race can only lose one.
/// </summary>
internal sealed class PieceCache
{
    /// <summary>Longer pieces are not kept.</summary>
    public const int LongestPiece = 32;

    private const int Buckets = 1 << 16;
    private readonly Entry?[] entries = new Entry?[2 * Buckets];

    private sealed class Entry(string piece, int[] ids)
    {
        public readonly string Piece = piece;
        public readonly int Single = ids.Length == 1 ? ids[0] : -1;
        public readonly int[] Ids = ids;
    }

    /// <summary>Appends the tokens of a piece if they are known.</summary>
    public bool TryAppend(ReadOnlySpan<char> piece, List<int> ids)
    {
        int bucket = Bucket(piece);
        Entry? entry = Volatile.Read(ref entries[bucket]);
        if (entry is null || !piece.SequenceEqual(entry.Piece))
        {
            Entry? later = Volatile.Read(ref entries[bucket + 1]);
            if (later is null || !piece.SequenceEqual(later.Piece)) return false;
            // What is asked for again is kept longer.
            Volatile.Write(ref entries[bucket], later);
            Volatile.Write(ref entries[bucket + 1], entry);
            entry = later;
        }
        if (entry.Single >= 0) ids.Add(entry.Single);
        else ids.AddRange(entry.Ids);
        return true;
    }

    /// <summary>Remembers the tokens of a piece.</summary>
    public void Add(ReadOnlySpan<char> piece, ReadOnlySpan<int> ids)
    {
        if (piece.Length <= LongestPiece) Volatile.Write(ref entries[Bucket(piece) + 1], new Entry(piece.ToString(), ids.ToArray()));
    }

    private static int Bucket(ReadOnlySpan<char> piece)
    {
        ulong hash = (ulong)piece.Length;
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(piece);
        while (bytes.Length >= 8)
        {
            hash = (hash ^ MemoryMarshal.Read<ulong>(bytes)) * 0x9E3779B97F4A7C15;
            hash ^= hash >> 32;
            bytes = bytes[8..];
        }
        if (bytes.Length >= 4)
        {
            hash = (hash ^ MemoryMarshal.Read<uint>(bytes)) * 0x9E3779B97F4A7C15;
            bytes = bytes[4..];
        }
        if (bytes.Length >= 2) hash ^= MemoryMarshal.Read<ushort>(bytes);
        return (int)(hash * 0xD6E8FEB86659FD93 >> 48) * 2;
    }
}
