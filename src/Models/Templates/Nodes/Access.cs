namespace Inference.Models.Templates;

/// <summary><c>a.b</c>: a method or attribute first, then the key of a dictionary.</summary>
internal sealed class AttributeExpression(int line, Expression owner, string name) : Expression(line)
{
    public Expression Owner => owner;

    public string Name => name;

    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        Value value = owner.Evaluate(state);
        state.Line = Line;
        return Members.Attribute(value, name);
    }
}

/// <summary><c>a[b]</c>: the key of a dictionary or a position first, then a method or attribute.</summary>
internal sealed class ItemExpression(int line, Expression owner, Expression key) : Expression(line)
{
    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        Value value = owner.Evaluate(state), at = key.Evaluate(state);
        state.Line = Line;
        return Members.Item(value, at);
    }
}

/// <summary><c>a[start:stop:step]</c></summary>
internal sealed class SliceExpression(int line, Expression owner, Expression? start, Expression? stop, Expression? step) : Expression(line)
{
    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        Value value = owner.Evaluate(state);
        Value first = start?.Evaluate(state) ?? Value.None, last = stop?.Evaluate(state) ?? Value.None, stride = step?.Evaluate(state) ?? Value.None;
        state.Line = Line;
        return Slices.Of(state, value, first, last, stride);
    }
}

/// <summary>The arguments of a call as they are written.</summary>
internal sealed class ArgumentList
{
    public static ArgumentList Empty { get; } = new();

    public Expression[] Positional { get; init; } = [];

    public string[] Names { get; init; } = [];

    public Expression[] Named { get; init; } = [];

    /// <summary><c>*a</c></summary>
    public Expression? Rest { get; init; }

    /// <summary><c>**a</c></summary>
    public Expression? Keywords { get; init; }

    /// <exception cref="TemplateException">A name comes twice.</exception>
    public Arguments Evaluate(RenderState state)
    {
        if (Positional.Length + Names.Length == 0 && Rest is null && Keywords is null) return Arguments.None;
        Value[] positional = Expression.EvaluateAll(state, Positional), named = Expression.EvaluateAll(state, Named);
        string[] names = Names;
        if (Rest is not null) positional = [.. positional, .. Sequences.ToArray(state, Rest.Evaluate(state))];
        if (Keywords is not null)
        {
            Value more = Keywords.Evaluate(state);
            if (more.Kind != ValueKind.Dict) throw new TemplateException($"'**' needs a dict, not a {more.TypeName}");
            foreach (Value key in more.AsDict.Keys)
                if (!key.IsText) throw new TemplateException($"'**' needs keys that are strings, not a {key.TypeName}");
            names = [.. names, .. more.AsDict.Keys.ToArray().Select(key => key.Text)];
            named = [.. named, .. more.AsDict.Values];
        }
        if (names.Length > 1 && names.Distinct().Count() < names.Length) throw new TemplateException("an argument is given twice");
        return new Arguments(positional, names, named);
    }
}

/// <summary><c>a(b, c=d)</c></summary>
internal sealed class CallExpression(int line, Expression callee, ArgumentList arguments) : Expression(line)
{
    public override Value Evaluate(RenderState state) => Evaluate(state, caller: null);

    /// <param name="state">The render.</param>
    /// <param name="caller">The body of a <c>call</c> block, passed as <c>caller</c>.</param>
    public Value Evaluate(RenderState state, TemplateObject? caller)
    {
        Budget.Descend();
        Value function;
        if (callee is AttributeExpression attribute)
        {
            Value owner = attribute.Owner.Evaluate(state);
            state.Line = Line;
            // The usual `text.strip()` needs no object for the method.
            if (caller is null && Members.TryFindMethod(owner, attribute.Name, out NativeFunction? method))
            {
                Arguments given = arguments.Evaluate(state);
                state.Line = Line;
                state.Budget.ChargeCall(owner);
                return method.Code(state, owner, given);
            }
            function = Members.Attribute(owner, attribute.Name);
        }
        else
        {
            function = callee.Evaluate(state);
        }
        Arguments passed = arguments.Evaluate(state);
        if (caller is not null) passed = passed with { Names = [.. passed.Names, "caller"], Named = [.. passed.Named, Value.Of(caller)] };
        state.Line = Line;
        state.Budget.ChargeItems();
        if (function.IsUndefined) throw function.UndefinedError();
        return function.Kind == ValueKind.Object ? function.AsObject.Call(state, passed) : throw new TemplateException($"a {function.TypeName} cannot be called");
    }
}

/// <summary><c>a | filter(b)</c></summary>
internal sealed class FilterExpression(int line, Expression operand, string name, ArgumentList arguments) : Expression(line)
{
    private readonly NativeFunction? filter = Filters.Find(name);

    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        return Apply(state, operand.Evaluate(state));
    }

    private Value Apply(RenderState state, Value value)
    {
        Arguments given = arguments.Evaluate(state);
        state.Line = Line;
        state.Budget.ChargeCall(value);
        return (filter ?? throw Filters.Unknown(name)).Code(state, value, given);
    }
}

/// <summary><c>a is test(b)</c></summary>
internal sealed class TestExpression(int line, Expression operand, string name, ArgumentList arguments) : Expression(line)
{
    private readonly NativeFunction? test = Tests.Find(name);

    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        Value value = operand.Evaluate(state);
        Arguments given = arguments.Evaluate(state);
        state.Line = Line;
        return (test ?? throw Tests.Unknown(name)).Code(state, value, given);
    }
}

/// <summary>Stands for the output of a block that a filter works on.</summary>
internal sealed class CapturedExpression(int line) : Expression(line)
{
    public override Value Evaluate(RenderState state) => state.Captured;
}
