using System.Runtime.Intrinsics;

namespace Inference.Models;

/// <summary>256 weights as one or two groups of eight sub-blocks.</summary>
internal readonly ref struct SuperBlock
{
    private readonly LaneBlock first, second;

    /// <param name="values">256 weights.</param>
    /// <param name="importance">256, or none.</param>
    /// <param name="subBlocks">8 or 16.</param>
    /// <param name="room">64 lanes.</param>
    public SuperBlock(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, int subBlocks, Span<Vector256<float>> room)
    {
        Groups = subBlocks / LaneBlock.Count;
        int weights = values.Length / Groups, lanes = room.Length / Groups;
        bool even = importance.IsEmpty;
        first = LaneBlock.Of(values[..weights], even ? importance : importance[..weights], room[..lanes]);
        if (Groups > 1) second = LaneBlock.Of(values[weights..], even ? importance : importance[weights..], room[lanes..]);
    }

    public int Groups { get; }

    /// <summary>Weights of a sub-block.</summary>
    public int Length => first.Length;

    public LaneBlock this[int group] => group == 0 ? first : second;
}
