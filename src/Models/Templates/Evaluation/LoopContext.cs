namespace Inference.Models.Templates;

/// <summary>
/// The items of a running <c>for</c> and the variable <c>loop</c>. Looks ahead only when it is asked to, since the items may be made lazily.
/// </summary>
internal sealed class LoopContext : TemplateObject
{
    private readonly ForStatement statement;
    private readonly Scope outer;
    private readonly int depth0;
    private IEnumerator<Value>? cursor;
    private Value[] items;
    private long? length;
    private int index0 = -1;
    private Value before;
    private Value after;
    private bool hasAfter;
    private Value[]? lastChanged;

    /// <param name="statement">The loop, to run it again inside itself.</param>
    /// <param name="outer">Variables around the loop.</param>
    /// <param name="iterable">A list or tuple is walked by position.</param>
    /// <param name="filtered">The items that pass the loop's condition, if it has one.</param>
    /// <param name="depth0">How many loops of this statement are around this one.</param>
    public LoopContext(ForStatement statement, Scope outer, Value iterable, IEnumerable<Value>? filtered, int depth0)
    {
        this.statement = statement;
        this.outer = outer;
        this.depth0 = depth0;
        items = [];
        if (filtered is null && iterable.IsArray)
        {
            items = iterable.AsArray;
            length = items.Length;
        }
        else
        {
            cursor = (filtered ?? Sequences.Enumerate(iterable)).GetEnumerator();
            if (filtered is null) length = Sequences.Length(iterable);
        }
    }

    public override string TypeName => "LoopContext";

    public override bool IsCallable => true;

    public override long? Length => Count();

    public Value Current { get; private set; }

    public bool MoveNext()
    {
        if (!Peek()) return false;
        (before, Current) = (Current, after);
        hasAfter = false;
        index0++;
        return true;
    }

    public override bool TryGetAttribute(string name, out Value value)
    {
        value = name switch
        {
            "index" => Value.Of(index0 + 1L),
            "index0" => Value.Of((long)index0),
            "first" => Value.Of(index0 == 0),
            "last" => Value.Of(!Peek()),
            "length" => Value.Of(Count()),
            "revindex" => Value.Of(Count() - index0),
            "revindex0" => Value.Of(Count() - index0 - 1),
            "depth" => Value.Of(depth0 + 1L),
            "depth0" => Value.Of((long)depth0),
            "previtem" => index0 == 0 ? Value.UndefinedBecause("there is no previous item") : before,
            "nextitem" => Peek() ? after : Value.UndefinedBecause("there is no next item"),
            "cycle" => NativeFunction.Of("cycle", Cycle),
            "changed" => NativeFunction.Of("changed", Changed),
            _ => default,
        };
        return !value.IsUndefined || name is "previtem" or "nextitem";
    }

    /// <summary>Runs the body for the items of another list, inside this loop, and returns what it wrote.</summary>
    public override Value Call(RenderState state, in Arguments arguments)
    {
        if (!statement.IsRecursive) throw new TemplateException("only a loop that is marked 'recursive' can be called");
        return statement.RunInside(state, outer, OneArgument.Bind("loop", arguments)[0], depth0 + 1);
    }

    public override void Print(TextBuilder to) => to.Append($"<LoopContext {index0 + 1}/{Count()}>");

    private static Signature OneArgument { get; } = new("iterable");

    private bool Peek()
    {
        if (hasAfter) return true;
        if (cursor is not null)
        {
            if (!cursor.MoveNext()) return false;
            after = cursor.Current;
        }
        else
        {
            if (index0 + 1 >= items.Length) return false;
            after = items[index0 + 1];
        }
        return hasAfter = true;
    }

    /// <summary>Items of the whole loop; reads those to come where only that tells.</summary>
    private long Count()
    {
        if (length is { } known) return known;
        var rest = new List<Value>();
        while (cursor!.MoveNext()) rest.Add(cursor.Current);
        cursor = rest.GetEnumerator();
        length = index0 + 1 + (hasAfter ? 1 : 0) + rest.Count;
        return length.Value;
    }

    private Value Cycle(RenderState state, Value _, in Arguments arguments) =>
        arguments.Positional.Length > 0 ? arguments.Positional[index0 % arguments.Positional.Length] : throw new TemplateException("cycle needs values");

    private Value Changed(RenderState state, Value _, in Arguments arguments)
    {
        if (lastChanged is not null && ValueComparison.AreEqual(Value.Tuple(lastChanged), Value.Tuple(arguments.Positional))) return Value.False;
        lastChanged = arguments.Positional;
        return Value.True;
    }
}
