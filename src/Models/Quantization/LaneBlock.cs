using System.Runtime.InteropServices;
using Inference.Kernels;
using Lane = System.Runtime.Intrinsics.Vector256;
using Lanes = System.Runtime.Intrinsics.Vector256<float>;

namespace Inference.Models;

/// <summary>
/// Eight blocks side by side, one per lane: element i holds weight i of each. A search over scales is then written as for one block, and needs no sum
/// across lanes. Plain multiplications and additions, never fused ones, so that every processor finds the same scales.
/// </summary>
internal readonly ref struct LaneBlock
{
    /// <summary>Blocks.</summary>
    public const int Count = 8;

    private LaneBlock(Span<Lanes> values, Span<Lanes> importance)
    {
        Values = values;
        Importance = importance;
    }

    /// <summary>[block length] weights.</summary>
    public Span<Lanes> Values { get; }

    /// <summary>[block length] importances.</summary>
    public Span<Lanes> Importance { get; }

    /// <summary>Weights of a block.</summary>
    public int Length => Values.Length;

    /// <summary>Spreads blocks that stand one after another over the lanes; lanes without a block are 0.</summary>
    /// <param name="values">Up to 8 * length weights.</param>
    /// <param name="importance">As many, or none: all 1.</param>
    /// <param name="room">2 * length lanes that the result lies in.</param>
    public static LaneBlock Of(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<Lanes> room)
    {
        int length = room.Length / 2;
        var block = new LaneBlock(room[..length], room[length..]);
        Spread(values, block.Values);
        if (importance.IsEmpty) block.Importance.Fill(Lanes.One);
        else Spread(importance, block.Importance);
        return block;
    }

    private static void Spread(ReadOnlySpan<float> source, Span<Lanes> target)
    {
        Span<float> at = MemoryMarshal.Cast<Lanes, float>(target);
        if (source.Length < at.Length) at.Clear();
        for (int block = 0; block * target.Length < source.Length; block++)
        {
            ReadOnlySpan<float> weights = source.Slice(block * target.Length, target.Length);
            for (int i = 0; i < weights.Length; i++) at[i * Count + block] = weights[i];
        }
    }

    /// <summary>The way back for codes: those of block b, weight i end at b * length + i.</summary>
    public static void Gather(ReadOnlySpan<Lanes> codes, Span<byte> target)
    {
        ReadOnlySpan<float> at = MemoryMarshal.Cast<Lanes, float>(codes);
        for (int block = 0; block * codes.Length < target.Length; block++)
        {
            Span<byte> one = target.Slice(block * codes.Length, codes.Length);
            for (int i = 0; i < one.Length; i++) one[i] = (byte)at[i * Count + block];
        }
    }

    /// <summary>Each lane as float16 stores it: what is larger becomes the largest.</summary>
    public static Lanes RoundToHalf(Lanes values)
    {
        Span<float> each = stackalloc float[Count];
        Lane.CopyTo(values, each);
        for (int i = 0; i < Count; i++) each[i] = HalfScale.Round(each[i]);
        return Lane.Create<float>(each);
    }

    /// <summary>1 / x, and 0 for 0: a block whose scale is 0 has the code of 0 everywhere.</summary>
    public static Lanes Inverse(Lanes values) => Lane.ConditionalSelect(Lane.Equals(values, Lanes.Zero), Lanes.Zero, Lanes.One / values);
}

/// <summary>Scales in float16.</summary>
internal static class HalfScale
{
    private const float Largest = 65504;

    public static ushort Bits(float scale) => Half16.FromSingle(Math.Clamp(scale, -Largest, Largest));

    /// <summary>The scale as a reader will see it.</summary>
    public static float Round(float scale) => Half16.ToSingle(Bits(scale));
}
