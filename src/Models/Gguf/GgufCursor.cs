using System.Runtime.CompilerServices;
using System.Text;

namespace Inference.Models;

/// <summary>Reads little-endian values from mapped bytes and never leaves them: what does not fit is a <see cref="ModelFormatException"/>.</summary>
internal unsafe ref struct GgufCursor(string file, FileMapping mapping, long position)
{
    /// <summary>Longest key or tensor name (the specification's limit for keys).</summary>
    private const int MaxNameBytes = 65535;

    private readonly byte* data = mapping.Data;
    private readonly long length = mapping.Length;

    /// <summary>Offset of the next byte.</summary>
    public long Position { get; private set; } = position;

    public readonly long Remaining => length - Position;

    public readonly ModelFormatException Error(string what, string expected, string found) => new(file, what, expected, found);

    /// <summary>Reads one value of fixed size. <paramref name="what"/> names it in an error.</summary>
    public T Read<T>(string what) where T : unmanaged
    {
        Require(sizeof(T), what);
        T value = Unsafe.ReadUnaligned<T>(data + Position);
        Position += sizeof(T);
        return value;
    }

    public void Skip(long bytes, string what)
    {
        Require(bytes, what);
        Position += bytes;
    }

    /// <summary>The bytes of a string: a 64-bit length, then so many bytes.</summary>
    public ReadOnlySpan<byte> ReadBytes(string what)
    {
        ulong count = Read<ulong>(what);
        if (count > (ulong)Math.Min(Remaining, Array.MaxLength)) throw Error(what, $"a string within the {Remaining} bytes that are left", $"a length of {count}");
        var bytes = new ReadOnlySpan<byte>(data + Position, (int)count);
        Position += (long)count;
        return bytes;
    }

    /// <summary>A key or tensor name; bytes that are no UTF-8 become U+FFFD.</summary>
    public string ReadName(string what)
    {
        ReadOnlySpan<byte> bytes = ReadBytes(what);
        if (bytes.Length is 0 or > MaxNameBytes) throw Error(what, $"a name of 1 to {MaxNameBytes} bytes", $"{bytes.Length} bytes");
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>A count of things that take at least <paramref name="minimumBytes"/> each: more than the file can hold is refused before anything is allocated.</summary>
    public long ReadCount(string what, int minimumBytes)
    {
        ulong count = Read<ulong>(what);
        long most = Remaining / minimumBytes;
        return count <= (ulong)most ? (long)count : throw Error(what, $"at most {most} in the {Remaining} bytes that are left", $"{count}");
    }

    private readonly void Require(long bytes, string what)
    {
        if (bytes > Remaining) throw Error(what, $"{bytes} bytes at offset {Position}", $"the end of the file at {length}");
    }
}
