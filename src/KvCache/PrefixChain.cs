using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Inference.KvCache;

/// <summary>
/// Keys of the blocks of one token sequence: key i = SHA-256(key i - 1, tokens of block i), cut to 128 bits. Nobody can make a prompt whose key is that of another
/// one, so no tenant is shown what another's prompt left. Where two sequences differ in their root, all keys differ.
/// </summary>
/// <param name="root">What goes before the first block: model, adapter, salt.</param>
/// <param name="blockSize">Tokens of a block.</param>
internal sealed class PrefixChain(PrefixKey root, int blockSize)
{
    private PrefixKey[] _keys = [];

    /// <summary>Blocks whose keys are known.</summary>
    public int Count { get; private set; }

    /// <summary>Key of a block below <see cref="Count"/>.</summary>
    public PrefixKey this[int block] => _keys[block];

    /// <summary>Makes room, so that extending does not allocate.</summary>
    public void Reserve(int blocks)
    {
        if (blocks > _keys.Length) Array.Resize(ref _keys, blocks);
    }

    /// <summary>Knows the keys of the first <paramref name="blocks"/> blocks afterwards.</summary>
    /// <param name="tokens">The sequence's tokens, at least those of the blocks.</param>
    /// <param name="blocks">Full blocks.</param>
    public void Extend(ReadOnlySpan<int> tokens, int blocks)
    {
        if (blocks > _keys.Length) Reserve(Math.Max(blocks, 2 * _keys.Length));
        for (; Count < blocks; Count++) _keys[Count] = KeyAfter(Count, tokens.Slice(Count * blockSize, blockSize));
    }

    /// <summary>Key of a run of tokens behind the first <paramref name="blocks"/> blocks: a block, or its beginning.</summary>
    public PrefixKey KeyAfter(int blocks, ReadOnlySpan<int> tokens) => Hash(blocks == 0 ? root : _keys[blocks - 1], MemoryMarshal.AsBytes(tokens));

    /// <summary>Forgets the keys of the blocks from that one on, since their tokens will be others.</summary>
    public void Cut(int blocks) => Count = Math.Min(Count, blocks);

    /// <summary>Root of sequences of one kind, for example those of one tenant. It is no key of any block, so that no prompt continues to it.</summary>
    public static PrefixKey Root(string salt) => Hash(new PrefixKey(ulong.MaxValue, ulong.MaxValue), MemoryMarshal.AsBytes(salt.AsSpan()));

    [SkipLocalsInit]
    private static PrefixKey Hash(PrefixKey before, ReadOnlySpan<byte> data)
    {
        const int keyBytes = 16, most = 1024;
        Span<byte> input = data.Length <= most ? stackalloc byte[keyBytes + most] : new byte[keyBytes + data.Length];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        MemoryMarshal.Write(input, before);
        data.CopyTo(input[keyBytes..]);
        int written = SHA256.HashData(input[..(keyBytes + data.Length)], hash);
        Debug.Assert(written == hash.Length);
        return MemoryMarshal.Read<PrefixKey>(hash);
    }
}
