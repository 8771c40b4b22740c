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

    // An entry is one array, so that a look-up touches little memory: the piece's length, its characters two to an int, then the tokens.
    private readonly int[]?[] entries = new int[]?[2 * Buckets];

    /// <summary>Appends the tokens of a piece if they are known.</summary>
    public bool TryAppend(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (piece.Length > LongestPiece) return false;
        int bucket = Bucket(piece);
        int[]? entry = Volatile.Read(ref entries[bucket]);
        if (entry is null || !IsOf(entry, piece))
        {
            int[]? later = Volatile.Read(ref entries[bucket + 1]);
            if (later is null || !IsOf(later, piece)) return false;
            // What is asked for again is kept longer.
            Volatile.Write(ref entries[bucket], later);
            Volatile.Write(ref entries[bucket + 1], entry);
            entry = later;
        }
        int first = FirstToken(piece.Length);
        if (entry.Length == first + 1) ids.Add(entry[first]);
        else ids.AddRange(entry.AsSpan(first));
        return true;
    }

    /// <summary>Remembers the tokens of a piece.</summary>
    public void Add(ReadOnlySpan<char> piece, ReadOnlySpan<int> ids)
    {
        if (piece.Length > LongestPiece) return;
        int first = FirstToken(piece.Length);
        int[] entry = new int[first + ids.Length];
        entry[0] = piece.Length;
        piece.CopyTo(MemoryMarshal.Cast<int, char>(entry.AsSpan(1)));
        ids.CopyTo(entry.AsSpan(first));
        Volatile.Write(ref entries[Bucket(piece) + 1], entry);
    }

    private static bool IsOf(int[] entry, ReadOnlySpan<char> piece) => entry[0] == piece.Length && piece.SequenceEqual(MemoryMarshal.Cast<int, char>(entry.AsSpan(1))[..piece.Length]);

    private static int FirstToken(int pieceLength) => 1 + (pieceLength + 1) / 2;

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
