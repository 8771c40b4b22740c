using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace Inference;

/// <summary>
/// A saved prefix as a file: <c>"INFPREF1"</c>; int32 bytes of the head; the head as lines "name=value" in UTF-8, the fingerprint and the two counts; int32 token ids; the blocks,
/// opaque bytes of the kernel set; the XxHash128 of everything before. Numbers are little-endian.
/// </summary>
internal static class PrefixFile
{
    private static readonly byte[] Magic = "INFPREF1"u8.ToArray();

    // A head is a few hundred bytes; more is no head.
    private const int MostHeadBytes = 1 << 16;

    /// <summary>Writes under another name beside the path and renames it, so that there is never half a file, and a file that was there stays until then.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="fingerprint">What the blocks depend on.</param>
    /// <param name="tokens">The tokens of the blocks.</param>
    /// <param name="blocks">[block] its bytes, all of the same length.</param>
    /// <param name="wrap">What to write through; tests let it fail.</param>
    /// <exception cref="IOException">It cannot be written; what was there before is unchanged.</exception>
    public static void Write(string path, PrefixFingerprint fingerprint, ReadOnlySpan<int> tokens, IReadOnlyList<byte[]> blocks, Func<Stream, Stream>? wrap = null)
    {
        string temporary = $"{path}.{Guid.NewGuid():n}.tmp";
        try
        {
            using (FileStream file = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                var output = new HashedWriter(wrap?.Invoke(file) ?? file);
                byte[] head = Encoding.UTF8.GetBytes(string.Concat(fingerprint.Values.Select(v => $"{v.Name}={v.Value}\n")) + $"tokens={tokens.Length}\nblocks={blocks.Count}\n");
                Span<byte> length = stackalloc byte[sizeof(int)];
                BinaryPrimitives.WriteInt32LittleEndian(length, head.Length);
                output.Write(Magic);
                output.Write(length);
                output.Write(head);
                foreach (int token in tokens)
                {
                    BinaryPrimitives.WriteInt32LittleEndian(length, token);
                    output.Write(length);
                }
                foreach (byte[] block in blocks) output.Write(block);
                output.Finish();
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Reads a file that was written with the same fingerprint.</summary>
    /// <exception cref="PrefixFileException">It is no such file, damaged, or does not fit.</exception>
    /// <exception cref="IOException">It is absent or cannot be read.</exception>
    public static (int[] Tokens, byte[][] Blocks) Read(string path, PrefixFingerprint expected, int blockSize, long blockBytes)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        var input = new HashedReader(path, file);
        if (!input.Read(Magic.Length).AsSpan().SequenceEqual(Magic)) throw new PrefixFileException(path, "is no saved prefix");
        int headBytes = BinaryPrimitives.ReadInt32LittleEndian(input.Read(sizeof(int)));
        if (headBytes is < 0 or > MostHeadBytes) throw new PrefixFileException(path, $"damaged: a head of {headBytes} bytes");
        var head = new Dictionary<string, string>();
        foreach (string line in Encoding.UTF8.GetString(input.Read(headBytes)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int at = line.IndexOf('=', StringComparison.Ordinal);
            if (at > 0) head[line[..at]] = line[(at + 1)..];
        }
        foreach ((string name, string value) in expected.Values)
        {
            if (!head.TryGetValue(name, out string? found)) throw new PrefixFileException(path, $"damaged: its head has no {name}");
            if (found != value) throw new PrefixFileException(path, $"was saved with {name} '{found}', and this engine has '{value}'");
        }
        int tokens = Count(path, head, "tokens"), blocks = Count(path, head, "blocks");
        long size = Magic.Length + sizeof(int) + headBytes + (long)tokens * sizeof(int) + blocks * blockBytes + HashedWriter.HashBytes;
        if ((long)blocks * blockSize != tokens || file.Length != size) throw new PrefixFileException(path, $"damaged: {file.Length} bytes, expected {size} for {tokens} tokens in {blocks} blocks of {blockSize}");
        var ids = new int[tokens];
        input.Read(tokens * sizeof(int)).CopyTo(MemoryMarshal.AsBytes(ids.AsSpan()));
        if (!BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(ids, ids);
        var contents = new byte[blocks][];
        for (int i = 0; i < blocks; i++) contents[i] = input.Read(checked((int)blockBytes));
        input.Finish();
        return (ids, contents);
    }

    private static int Count(string path, Dictionary<string, string> head, string name) =>
        head.TryGetValue(name, out string? text) && int.TryParse(text, out int count) && count >= 0 ? count : throw new PrefixFileException(path, $"damaged: its head has no number of {name}");

    private sealed class HashedWriter(Stream output)
    {
        public const int HashBytes = 16;
        private readonly XxHash128 hash = new();

        public void Write(ReadOnlySpan<byte> bytes)
        {
            hash.Append(bytes);
            output.Write(bytes);
        }

        public void Finish()
        {
            output.Write(hash.GetCurrentHash());
            output.Flush();
        }
    }

    private sealed class HashedReader(string path, Stream input)
    {
        private readonly XxHash128 hash = new();

        public byte[] Read(int count)
        {
            byte[] bytes = Take(count);
            hash.Append(bytes);
            return bytes;
        }

        public void Finish()
        {
            if (!hash.GetCurrentHash().AsSpan().SequenceEqual(Take(HashedWriter.HashBytes))) throw new PrefixFileException(path, "damaged: the checksum does not fit");
        }

        private byte[] Take(int count)
        {
            var bytes = new byte[count];
            if (input.ReadAtLeast(bytes, count, throwOnEndOfStream: false) < count) throw new PrefixFileException(path, $"damaged: ends after {input.Length} bytes");
            return bytes;
        }
    }
}
