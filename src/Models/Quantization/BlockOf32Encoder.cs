using System.Runtime.Intrinsics;
using Inference.Kernels;

namespace Inference.Models;

/// <summary>Types whose blocks of 32 each have a float16 scale: weight = scale * level.</summary>
internal abstract class ScaleBlockEncoder<TLevels> : BlockEncoder where TLevels : ILevels
{
    private const int Length = 32;

    /// <summary>Writes one block.</summary>
    protected abstract void Pack(ushort scale, ReadOnlySpan<byte> codes, Span<byte> block);

    public sealed override void Encode(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks)
    {
        Span<Vector256<float>> room = stackalloc Vector256<float>[2 * Length], codes = stackalloc Vector256<float>[Length];
        Span<byte> packed = stackalloc byte[LaneBlock.Count * Length];
        while (values.Length > 0)
        {
            int count = Math.Min(LaneBlock.Count, values.Length / Length), weights = count * Length;
            LaneBlock block = LaneBlock.Of(values[..weights], importance.IsEmpty ? importance : importance[..weights], room);
            Vector256<float> scale = LaneBlock.RoundToHalf(ScaleFit.Search<TLevels>(block)), inverse = LaneBlock.Inverse(scale);
            for (int i = 0; i < Length; i++) codes[i] = TLevels.Codes(TLevels.Nearest(block.Values[i] * inverse));
            LaneBlock.Gather(codes, packed[..weights]);
            for (int b = 0; b < count; b++) Pack(HalfScale.Bits(scale[b]), packed.Slice(b * Length, Length), blocks.Slice(b * BlockBytes, BlockBytes));
            values = values[weights..];
            blocks = blocks[(count * BlockBytes)..];
            if (!importance.IsEmpty) importance = importance[weights..];
        }
    }
}

/// <summary>Types whose blocks of 32 each have a float16 scale and min: weight = scale * code + min.</summary>
internal abstract class ScaleMinBlockEncoder : BlockEncoder
{
    private const int Length = 32;

    /// <summary>Largest code.</summary>
    protected abstract int Top { get; }

    /// <summary>Writes one block.</summary>
    protected abstract void Pack(ushort scale, ushort min, ReadOnlySpan<byte> codes, Span<byte> block);

    public sealed override void Encode(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks)
    {
        Span<Vector256<float>> room = stackalloc Vector256<float>[2 * Length], codes = stackalloc Vector256<float>[Length];
        Span<byte> packed = stackalloc byte[LaneBlock.Count * Length];
        Vector256<float> top = Vector256.Create((float)Top);
        while (values.Length > 0)
        {
            int count = Math.Min(LaneBlock.Count, values.Length / Length), weights = count * Length;
            LaneBlock block = LaneBlock.Of(values[..weights], importance.IsEmpty ? importance : importance[..weights], room);
            (Vector256<float> scale, Vector256<float> min) = ScaleMinFit.Search(block, Top, belowZero: false);
            (scale, min) = (LaneBlock.RoundToHalf(scale), LaneBlock.RoundToHalf(min));
            Vector256<float> inverse = LaneBlock.Inverse(scale);
            for (int i = 0; i < Length; i++) codes[i] = Vector256.Min(Vector256.Max(Vector256.Round((block.Values[i] - min) * inverse), Vector256<float>.Zero), top);
            LaneBlock.Gather(codes, packed[..weights]);
            for (int b = 0; b < count; b++)
                Pack(HalfScale.Bits(scale[b]), HalfScale.Bits(min[b]), packed.Slice(b * Length, Length), blocks.Slice(b * BlockBytes, BlockBytes));
            values = values[weights..];
            blocks = blocks[(count * BlockBytes)..];
            if (!importance.IsEmpty) importance = importance[weights..];
        }
    }
}
