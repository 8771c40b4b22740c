namespace Inference.Models.Templates;

/// <summary>Python's slices.</summary>
internal static class Slices
{
    /// <param name="state">The render.</param>
    /// <param name="value">Text, list, tuple or range.</param>
    /// <param name="start">First position; none for the end that the step starts from. Negative ones count from the end.</param>
    /// <param name="stop">Position that is not taken any more.</param>
    /// <param name="step">Not 0; none for 1.</param>
    public static Value Of(RenderState state, Value value, Value start, Value stop, Value step)
    {
        if (value.IsUndefined) throw value.UndefinedError();
        if (!value.IsText && !value.IsArray && value.As<RangeValue>() is null) throw new TemplateException($"a {value.TypeName} cannot be sliced");
        long length = Sequences.Length(value)!.Value;
        long stride = step.IsNone ? 1 : Sequences.Index(step, "the step of a slice");
        if (stride == 0) throw new TemplateException("the step of a slice is 0");
        long first = Clamp(start, length, stride < 0, atStart: true), last = Clamp(stop, length, stride < 0, atStart: false);
        if (value.As<RangeValue>() is { } range) return range.Slice(first, last, stride);
        long count = stride > 0 ? (last - first + stride - 1) / stride : (first - last - stride - 1) / -stride;
        if (count <= 0) return value.IsText ? Value.Empty : value.Kind == ValueKind.List ? Value.EmptyList : Value.Tuple();
        if (value.IsText) return SliceText(state, value, (int)first, (int)stride, (int)count);
        state.Budget.ChargeItems(count);
        var items = new Value[count];
        for (int i = 0; i < count; i++) items[i] = value.AsArray[first + i * stride];
        return value.Kind == ValueKind.List ? Value.List(items) : Value.Tuple(items);
    }

    private static Value SliceText(RenderState state, Value value, int first, int stride, int count)
    {
        string text = value.Text;
        state.Budget.ChargeSearch(text.Length);
        if (stride == 1)
        {
            int start = CodePoints.Offset(text, first);
            int end = start + CodePoints.Offset(text.AsSpan(start), count);
            state.Budget.ChargeText(end - start, end - start);
            return value.Slice(start, end - start);
        }
        state.Budget.ChargeItems(count);
        int[] offsets = Offsets(text);
        TextBuilder builder = state.RentBuilder();
        for (int i = 0; i < count; i++)
        {
            int at = offsets[first + i * stride];
            builder.Append(value, at, CodePoints.Width(text, at));
        }
        return state.Finish(builder);
    }

    private static int[] Offsets(string text)
    {
        var offsets = new List<int>(text.Length);
        for (int i = 0; i < text.Length; i += CodePoints.Width(text, i)) offsets.Add(i);
        return [.. offsets];
    }

    /// <summary>A bound within the positions that a slice in this direction can have.</summary>
    private static long Clamp(Value bound, long length, bool backwards, bool atStart)
    {
        long least = backwards ? -1 : 0, most = backwards ? length - 1 : length;
        if (bound.IsNone) return atStart == backwards ? most : least;
        if (!bound.IsIntegral) throw new TemplateException($"a slice has integers or none as bounds, not a {bound.TypeName}");
        long at = bound.IsBig ? (bound.AsBig.Sign < 0 ? long.MinValue / 2 : long.MaxValue / 2) : bound.AsLong;
        if (at < 0) at = at < long.MinValue / 2 ? least : at + length;
        return Math.Clamp(at, least, Math.Max(least, most));
    }
}
