namespace Inference.Models.Templates;

/// <summary>Grows a text and keeps the marks of what is appended. All new text of a render is made here, so that its size is bounded here.</summary>
/// <param name="budget">What the render may still use up.</param>
internal sealed class TextBuilder(Budget budget)
{
    private char[] characters = new char[256];
    private int[] ranges = new int[8];
    private int rangeCount;

    public int Length { get; private set; }

    public ReadOnlySpan<char> Written => characters.AsSpan(0, Length);

    /// <summary>As in <see cref="MarkedText"/>.</summary>
    public ReadOnlySpan<int> UserRanges => ranges.AsSpan(0, rangeCount);

    public TextBuilder Append(char character)
    {
        Reserve(1)[0] = character;
        return this;
    }

    /// <summary>Text of the template's own.</summary>
    public TextBuilder Append(ReadOnlySpan<char> text)
    {
        text.CopyTo(Reserve(text.Length));
        return this;
    }

    public TextBuilder Append(char character, int count)
    {
        if (count > 0) Reserve(count).Fill(character);
        return this;
    }

    /// <summary>Text of a user's.</summary>
    public TextBuilder AppendUser(ReadOnlySpan<char> text)
    {
        int start = Length;
        text.CopyTo(Reserve(text.Length));
        MarkUser(start, Length);
        return this;
    }

    /// <summary>A text value with its marks.</summary>
    public TextBuilder Append(Value value) => Append(value, 0, value.Text.Length);

    /// <summary>A part of a text value.</summary>
    public TextBuilder Append(Value value, int start, int length)
    {
        int at = Length - start;
        value.Text.AsSpan(start, length).CopyTo(Reserve(length));
        ReadOnlySpan<int> marks = value.UserRanges;
        if (marks.IsEmpty)
        {
            if (value.HasUserText) MarkUser(at + start, Length);
            return this;
        }
        for (int i = 0; i < marks.Length; i += 2) MarkUser(at + Math.Max(marks[i], start), at + Math.Min(marks[i + 1], start + length));
        return this;
    }

    /// <summary>Text that stands for a part of a value, such as an escape: it is the user's if the value has user text.</summary>
    public TextBuilder AppendLike(Value origin, ReadOnlySpan<char> text) => origin.HasUserText ? AppendUser(text) : Append(text);

    public void Clear() => Length = rangeCount = 0;

    public override string ToString() => new(Written);

    /// <summary>The text and its marks.</summary>
    public Value ToValue() => Length == 0 ? Value.Empty : Value.Of(ToString(), UserRanges);

    private void MarkUser(int start, int end)
    {
        if (start >= end) return;
        if (rangeCount > 0 && ranges[rangeCount - 1] == start)
        {
            ranges[rangeCount - 1] = end;
            return;
        }
        if (rangeCount == ranges.Length) Array.Resize(ref ranges, rangeCount * 2);
        ranges[rangeCount++] = start;
        ranges[rangeCount++] = end;
    }

    private Span<char> Reserve(int count)
    {
        budget.ChargeText((long)Length + count, count);
        int start = Length;
        Length += count;
        if (Length > characters.Length) Array.Resize(ref characters, Math.Max(Length, characters.Length * 2));
        return characters.AsSpan(start, count);
    }
}
