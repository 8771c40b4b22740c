using System.Runtime.CompilerServices;

namespace Inference.KvCache;

/// <summary>The bookkeeping contradicts itself: a bug in this assembly or a misuse of its internals.</summary>
internal sealed class KvInvariantException(int invariant, string message) : Exception($"KV invariant {invariant} is broken: {message}.")
{
    /// <summary>Number in the list at <see cref="KvAllocator"/>.</summary>
    public int Invariant { get; } = invariant;

    /// <summary>Throws unless <paramref name="holds"/>; the text is only formatted then.</summary>
    internal static void Require(int invariant, bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] Description text)
    {
        if (!holds) throw new KvInvariantException(invariant, text.ToString());
    }

    /// <summary>Interpolated string that stays unformatted while the invariant holds; checks run after every random operation of the tests.</summary>
    [InterpolatedStringHandler]
    internal ref struct Description
    {
        private DefaultInterpolatedStringHandler _text;

        public Description(int literalLength, int formattedCount, bool holds, out bool format)
        {
            format = !holds;
            _text = holds ? default : new(literalLength, formattedCount);
        }

        public void AppendLiteral(string text) => _text.AppendLiteral(text);

        public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

        public override string ToString() => _text.ToStringAndClear();
    }
}
