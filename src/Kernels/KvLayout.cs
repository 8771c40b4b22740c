namespace Inference.Kernels;

/// <summary>Element type of a KV plane.</summary>
internal enum KvType
{
    F32,
    F16,
}

/// <summary>
/// Shape of the pages of one cache group. A block holds <see cref="BlockSize"/> tokens of every layer of the group; how K and V lie
/// inside it is the kernel set's own business.
/// </summary>
/// <param name="Layers">Layers of the group.</param>
/// <param name="KvHeads">KV heads of a layer.</param>
/// <param name="KeyDim">Elements of a key, a multiple of 16.</param>
/// <param name="ValueDim">Elements of a value, a multiple of 16.</param>
/// <param name="BlockSize">Tokens in a block, a multiple of 16 from 16 to 256.</param>
/// <param name="KeyType">Element type of K.</param>
/// <param name="ValueType">Element type of V.</param>
internal sealed record KvLayout(int Layers, int KvHeads, int KeyDim, int ValueDim, int BlockSize, KvType KeyType, KvType ValueType)
{
    /// <summary>Bytes that one token takes in all layers of the group.</summary>
    public long BytesPerToken => (long)Layers * KvHeads * (KeyDim * Bytes(KeyType) + ValueDim * Bytes(ValueType));

    /// <summary>Bytes of one block in all layers of the group.</summary>
    public long BytesPerBlock => BytesPerToken * BlockSize;

    /// <summary>Bytes of an element.</summary>
    public static int Bytes(KvType type) => type == KvType.F32 ? 4 : 2;
}
