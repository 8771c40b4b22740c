using System.Runtime.InteropServices;
using ILGPU;

namespace Inference.Kernels;

/// <summary>One block of a file's tensor, read byte by byte: blocks of 50 or 110 bytes have no other alignment.</summary>
internal struct StoredBlock
{
    /// <summary>All blocks of the tensor.</summary>
    public ArrayView<byte> Bytes;

    /// <summary>The words of all codebooks, see <see cref="DeviceCodebooks"/>.</summary>
    public ArrayView<uint> Codebooks;

    /// <summary>First byte of this block.</summary>
    public long Start;

    public readonly int Byte(int i) => Bytes[Start + i];
    public readonly int Word16(int i) => Byte(i) | Byte(i + 1) << 8;
    public readonly uint Word32(int i) => (uint)(Word16(i) | Word16(i + 2) << 16);
    public readonly float Half<TIsa>(int i) where TIsa : struct, IIsa => TIsa.Half((uint)Word16(i));
}

/// <summary>weight = Scale * quant - Min.</summary>
internal struct ScaleMin
{
    public float Scale, Min;
}

/// <summary>
/// A format without product kernels of its own: the file's blocks are kept on the device as they are, and <see cref="DecodeRowsKernel"/> turns some rows
/// at a time into <see cref="DeviceUnpacked{THasMin}"/>. One small kernel a format, where a packed format has five larger ones.
/// </summary>
internal interface IStoredFormat
{
    static abstract TensorType Type { get; }

    /// <summary>Weights in a block, a multiple of 32.</summary>
    static abstract int BlockElements { get; }

    /// <summary>Bytes of a block.</summary>
    static abstract int BlockBytes { get; }

    /// <summary>Whether weights have a <see cref="ScaleMin.Min"/>.</summary>
    static abstract bool HasMin { get; }

    /// <summary>The quants of weights 4i .. 4i + 3 of a block as signed bytes.</summary>
    static abstract uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa;

    /// <summary>Scale and min of weights 16i .. 16i + 15 of a block.</summary>
    static abstract ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa;
}

/// <summary>Arithmetic on four bytes of a word at once.</summary>
internal static class FourBytes
{
    /// <summary>Four numbers as bytes.</summary>
    public static uint Pack(int a, int b, int c, int d) => (uint)((a & 255) | (b & 255) << 8 | (c & 255) << 16 | d << 24);

    /// <summary>The bytes' sums, each without its carry.</summary>
    public static uint Add(uint a, uint b) => ((a & 0x7f7f7f7fu) + (b & 0x7f7f7f7fu)) ^ ((a ^ b) & 0x80808080u);

    /// <summary>The bytes, negated where the lowest four bits of <paramref name="signs"/> are set; no byte is 0.</summary>
    public static uint Negate(uint bytes, int signs)
    {
        uint ones = ((uint)(signs & 15) * 0x00204081u) & 0x01010101u;
        return (bytes ^ (ones * 255u)) + ones;
    }
}

/// <summary>
/// The codebooks of IQ1, IQ2 and IQ3 on a device, four entries to a word, one after the other in one buffer: where each starts is a constant of the kernels.
/// </summary>
internal static class DeviceCodebooks
{
    public const int IQ1 = 0, IQ2_XXS = IQ1 + 4096, IQ2_XS = IQ2_XXS + 512, IQ2_S = IQ2_XS + 1024, IQ3_XXS = IQ2_S + 2048, IQ3_S = IQ3_XXS + 256, Words = IQ3_S + 512;

    /// <summary>Host: all words.</summary>
    public static uint[] All()
    {
        var words = new uint[Words];
        foreach ((Codebook book, int start) in ((Codebook, int)[])[(Codebook.IQ1, IQ1), (Codebook.IQ2_XXS, IQ2_XXS), (Codebook.IQ2_XS, IQ2_XS),
            (Codebook.IQ2_S, IQ2_S), (Codebook.IQ3_XXS, IQ3_XXS), (Codebook.IQ3_S, IQ3_S)])
            MemoryMarshal.Cast<sbyte, uint>(book.Values).CopyTo(words.AsSpan(start));
        return words;
    }

    /// <summary>Eight signs of which seven are stored: their number is even.</summary>
    public static int EvenSigns(uint stored)
    {
        uint signs = stored & 127u, parity = signs ^ (signs >> 4);
        parity ^= parity >> 2;
        parity ^= parity >> 1;
        return (int)(signs | (parity & 1u) << 7);
    }
}
