namespace Inference.KvCache;

/// <summary>
/// 128 bits that stand for the tokens of a block and all before it (<see cref="PrefixChain"/>).
/// Not a <see cref="UInt128"/>: methods that touch one, and whole classes with a field of it, are left out of precompiled images.
/// </summary>
/// <param name="Lower">The first eight bytes.</param>
/// <param name="Upper">The last eight.</param>
internal readonly record struct PrefixKey(ulong Lower, ulong Upper)
{
    /// <summary>The key whose first bytes are those of a small number, for roots that are counted.</summary>
    public static implicit operator PrefixKey(ulong number) => new(number, 0);
}
