using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Inference.Models.Tests;

/// <summary>Damages the bytes of a file as transfers, disks and people with bad intentions do. Everything follows from the random numbers' seed.</summary>
internal sealed class Mutator(Random random)
{
    private static readonly ulong[] Numbers =
    [
        0, 1, 2, 3, 7, 15, 16, 31, 32, 127, 128, 255, 256, 65535, 65536, (1UL << 31) - 1, 1UL << 31, (1UL << 32) - 1, 1UL << 32, 1UL << 40, 1UL << 52, (1UL << 62) + 1, long.MaxValue, 1UL << 63, ulong.MaxValue,
    ];

    private static readonly string[] Texts = ["0", "-1", "1", "1e9", "1e400", "2147483647", "2147483648", "4294967296", "9223372036854775807", "18446744073709551616", "0.5", "1e-300", "null", "true", "[]", "{}", "\"\"", "\"\\ud800\"", "[[[[[[", "NaN"];

    /// <summary>A damaged copy.</summary>
    /// <param name="source">The file.</param>
    /// <param name="header">Bytes at its start that are more than numbers of weights; most damage goes there.</param>
    /// <param name="text">Whether those bytes are JSON, in which whole numbers and values are replaced as well.</param>
    public byte[] Mutate(byte[] source, int header, bool text)
    {
        byte[] bytes = [.. source];
        for (int hits = random.Next(4) switch { 0 => random.Next(2, 9), 1 => 2, _ => 1 }; hits > 0 && bytes.Length > 0; hits--)
            bytes = Damage(bytes, Math.Min(header, bytes.Length), text);
        return bytes;
    }

    private byte[] Damage(byte[] bytes, int header, bool text)
    {
        int at = random.Next(10) < 8 && header > 0 ? random.Next(header) : random.Next(bytes.Length);
        if (text && at < header && random.Next(2) == 0) return ReplaceText(bytes, header);
        switch (random.Next(9))
        {
            case 0 or 1:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 2:
                bytes[at] = random.Next(3) switch { 0 => 0, 1 => 255, _ => (byte)random.Next(256) };
                return bytes;
            case 3 or 4:
                return Number(bytes, at);
            case 5:
                return bytes[..at];
            case 6:
                int length = Span(bytes.Length - at), to = random.Next(bytes.Length);
                return [.. bytes[..to], .. bytes[at..(at + length)], .. bytes[to..]];
            case 7:
                return [.. bytes[..at], .. bytes[(at + Span(bytes.Length - at))..]];
            default:
                int from = random.Next(bytes.Length), count = Math.Min(Span(bytes.Length - from), bytes.Length - at);
                bytes.AsSpan(from, count).ToArray().CopyTo(bytes, at);
                return bytes;
        }
    }

    /// <summary>Writes a number where a length, a count, an offset or a type may stand.</summary>
    private byte[] Number(byte[] bytes, int at)
    {
        ulong value = random.Next(3) == 0 ? (ulong)random.NextInt64() >> random.Next(64) : Numbers[random.Next(Numbers.Length)];
        // Half of them near what stands there: counts that are off by one pass more checks.
        if (bytes.Length - at >= 8 && random.Next(2) == 0) value = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at)) + (ulong)random.Next(-3, 4);
        byte[] written = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(written, value);
        written.AsSpan(0, Math.Min(random.Next(2) == 0 ? 4 : 8, bytes.Length - at)).CopyTo(bytes.AsSpan(at));
        return bytes;
    }

    private byte[] ReplaceText(byte[] bytes, int header)
    {
        int start = random.Next(header);
        while (start < header && !char.IsAsciiDigit((char)bytes[start]) && bytes[start] != (byte)'"') start++;
        if (start == header) return bytes;
        int end = start + 1;
        if (bytes[start] == (byte)'"')
        {
            while (end < header && bytes[end] != (byte)'"') end++;
            end = Math.Min(end + 1, header);
        }
        else while (end < header && char.IsAsciiDigit((char)bytes[end])) end++;
        string value = random.Next(3) == 0 ? (random.NextInt64() >> random.Next(64)).ToString(CultureInfo.InvariantCulture) : Texts[random.Next(Texts.Length)];
        return [.. bytes[..start], .. Encoding.UTF8.GetBytes(value), .. bytes[end..]];
    }

    private int Span(int most) => Math.Min(most, 1 + (random.Next(2) == 0 ? random.Next(16) : random.Next(4096)));
}
