using Inference.Kernels;

namespace Inference.Models;

/// <summary>
/// Writes weights in one tensor type: the way back of <see cref="TensorFormat.Decode"/>, with as little error as a search of reasonable length finds.
/// The bytes depend on nothing but the arguments: not on threads, and not on the processor.
/// </summary>
internal abstract class BlockEncoder
{
    /// <summary>Every type this build writes. The one registry line of a new encoder goes here.</summary>
    public static IReadOnlyList<BlockEncoder> All { get; } =
    [
        new F32Encoder(), new F16Encoder(), new BF16Encoder(), new Q8_0Encoder(), new Q4_0Encoder(), new Q4_1Encoder(), new Q5_0Encoder(), new Q5_1Encoder(),
        new Q2_KEncoder(), new Q3_KEncoder(), new Q4_KEncoder(), new Q5_KEncoder(), new Q6_KEncoder(), new IQ4_NLEncoder(), new IQ4_XSEncoder(),
    ];

    /// <summary>The type written.</summary>
    public abstract TensorType Type { get; }

    /// <summary>Elements of a block.</summary>
    public int BlockElements => GgmlType.Of((uint)Type).BlockElements;

    /// <summary>Bytes of a block.</summary>
    public int BlockBytes => GgmlType.Of((uint)Type).BlockBytes;

    /// <summary>Encodes whole blocks, of one row or of several that follow each other.</summary>
    /// <param name="values">n * <see cref="BlockElements"/> finite numbers.</param>
    /// <param name="importance">How much the square of each value's error counts, 0 or more; empty: all the same.</param>
    /// <param name="blocks">n * <see cref="BlockBytes"/> bytes; every one is written.</param>
    public abstract void Encode(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks);

    /// <summary>The encoder of a type, or null when this build does not write it.</summary>
    public static BlockEncoder? Find(TensorType type) => All.FirstOrDefault(encoder => encoder.Type == type);

    /// <summary>The encoder of a type that this build is known to write.</summary>
    public static BlockEncoder Of(TensorType type) => Find(type) ?? throw new ArgumentOutOfRangeException(nameof(type), type, "no such encoder");
}
