namespace Inference.Models.Templates;

/// <summary>What filters sort, group or select items by: the item, or an attribute of it such as <c>function.name</c> or <c>0</c>.</summary>
/// <param name="attribute">Names and positions with dots between; an integer for one position; none for the item itself.</param>
/// <param name="caseSensitive">Whether text counts as it is, and not in lower case.</param>
/// <param name="fallback">Instead of an undefined attribute; none for no such thing.</param>
internal sealed class ItemKey(Value attribute, bool caseSensitive, Value fallback = default)
{
    private readonly Value[][] paths = Paths(attribute);

    public Value Of(Value item) => Follow(item, paths[0]);

    /// <summary>A tuple, also of one: all of several attributes with commas between, for <c>sort</c>. Equal parts need no order then, such as two undefined ones.</summary>
    public Value AllOf(Value item) => Value.Tuple([.. paths.Select(path => Follow(item, path))]);

    private Value Follow(Value item, Value[] path)
    {
        foreach (Value part in path)
        {
            item = Members.Item(item, part);
            if (item.IsUndefined && !fallback.IsUndefined && !fallback.IsNone) item = fallback;
        }
        return !caseSensitive && item.IsText ? item.WithText(TextCase.Lower(item.Text)) : item;
    }

    private static Value[][] Paths(Value attribute)
    {
        if (attribute.IsNone || attribute.IsUndefined) return [[]];
        if (!attribute.IsText) return [[attribute]];
        return [.. attribute.Text.Split(',').Select(path => path.Split('.').Select(Part).ToArray())];
    }

    private static Value Part(string part) => part.Length > 0 && part.All(char.IsDigit) && long.TryParse(part, out long position) ? Value.Of(position) : Value.Of(part);
}
