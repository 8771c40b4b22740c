namespace Inference.Kernels;

/// <summary>Element type of a KV plane.</summary>
internal enum KvType
{
    F32,
    F16,
    BF16,

    /// <summary>Blocks of 32 dims: int8 and a float16 scale, see <see cref="KvBlock"/>.</summary>
    Q8_0,

    /// <summary>Blocks of 32 dims: 4 bits and a float16 scale.</summary>
    Q4_0,
}

/// <summary>
/// Shape of the pages of one cache group. A block holds <see cref="BlockSize"/> tokens of every layer of the group; how K and V lie
/// inside it is the kernel set's own business.
/// </summary>
/// <param name="Layers">Layers of the group.</param>
/// <param name="KvHeads">KV heads of a layer.</param>
/// <param name="KeyDim">Elements of a key, a multiple of 16, of 32 where K is quantised.</param>
/// <param name="ValueDim">Elements of a value, a multiple of 16, of 32 where V is quantised.</param>
/// <param name="BlockSize">Tokens in a block, a multiple of 16 from 16 to 256.</param>
/// <param name="KeyType">Element type of K.</param>
/// <param name="ValueType">Element type of V.</param>
internal sealed record KvLayout(int Layers, int KvHeads, int KeyDim, int ValueDim, int BlockSize, KvType KeyType, KvType ValueType)
{
    /// <summary>Bytes of one key, scales included.</summary>
    /// <exception cref="ArgumentException">K is quantised, and its dims are no multiple of 32.</exception>
    public int KeyBytes => HeadBytes(KeyType, KeyDim, "keys");

    /// <summary>Bytes of one value, scales included.</summary>
    /// <exception cref="ArgumentException">V is quantised, and its dims are no multiple of 32.</exception>
    public int ValueBytes => HeadBytes(ValueType, ValueDim, "values");

    /// <summary>Bytes that one token takes in all layers of the group.</summary>
    public long BytesPerToken => (long)Layers * KvHeads * (KeyBytes + ValueBytes);

    /// <summary>Bytes of one block in all layers of the group.</summary>
    public long BytesPerBlock => BytesPerToken * BlockSize;

    /// <summary>Whether a type has blocks of 32 dims with a scale.</summary>
    public static bool IsQuantized(KvType type) => type is KvType.Q8_0 or KvType.Q4_0;

    private static int HeadBytes(KvType type, int dims, string what)
    {
        if (IsQuantized(type) && dims % KvBlock.Dims != 0) throw new ArgumentException($"{what} of {dims} dims a head cannot be stored as {type}: expected a multiple of {KvBlock.Dims}");
        return type switch
        {
            KvType.F32 => 4 * dims,
            KvType.Q8_0 => dims / KvBlock.Dims * (KvBlock.Dims + sizeof(ushort)),
            KvType.Q4_0 => dims / KvBlock.Dims * (KvBlock.Dims / 2 + sizeof(ushort)),
            _ => 2 * dims,
        };
    }
}
