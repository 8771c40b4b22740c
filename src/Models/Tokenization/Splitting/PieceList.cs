namespace Inference.Models;

/// <summary>A text and the pieces it has been cut into so far. Reused from call to call; belongs to one thread at a time.</summary>
internal sealed class PieceList
{
    // What a usual prompt needs; a list that a long text made longer is not kept.
    private const int KeptCapacity = 1 << 16;

    private (int Start, int End)[] pieces = new (int, int)[256];
    private (int Start, int End)[] previous = new (int, int)[256];
    private int count;

    /// <summary>What the pieces are parts of.</summary>
    public ReadOnlyMemory<char> Text { get; private set; }

    /// <summary>Where each piece starts and ends, in order, none empty.</summary>
    public ReadOnlySpan<(int Start, int End)> Pieces => pieces.AsSpan(0, count);

    /// <summary>Whether the lists have grown beyond what is worth keeping.</summary>
    public bool IsLarge => pieces.Length + previous.Length > 2 * KeptCapacity;

    /// <summary>Starts over with one piece: the whole text.</summary>
    public void Reset(ReadOnlyMemory<char> text)
    {
        Text = text;
        count = 0;
        Add(0, text.Length);
    }

    /// <summary>Forgets the text.</summary>
    public void Clear()
    {
        Text = default;
        count = 0;
    }

    /// <summary>Empties the list for finer pieces.</summary>
    /// <returns>The pieces so far; valid until the next call.</returns>
    public ReadOnlySpan<(int Start, int End)> Take()
    {
        ReadOnlySpan<(int, int)> taken = Pieces;
        (pieces, previous) = (previous, pieces);
        count = 0;
        return taken;
    }

    /// <summary>Empties the list for pieces of another text.</summary>
    public ReadOnlySpan<(int Start, int End)> Take(ReadOnlyMemory<char> text)
    {
        Text = text;
        return Take();
    }

    /// <summary>Appends a piece; an empty one is left out.</summary>
    public void Add(int start, int end)
    {
        if (end <= start) return;
        if (count == pieces.Length) Array.Resize(ref pieces, count * 2);
        pieces[count++] = (start, end);
    }
}
