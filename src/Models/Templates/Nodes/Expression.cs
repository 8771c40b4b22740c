namespace Inference.Models.Templates;

/// <summary>A part of a template that has a value.</summary>
/// <param name="line">Line in the template.</param>
internal abstract class Expression(int line)
{
    public int Line => line;

    public abstract Value Evaluate(RenderState state);

    /// <summary>Writes the value to the output.</summary>
    public virtual void Print(RenderState state) => ValuePrinter.Str(state.Output, Evaluate(state));

    public static Value[] EvaluateAll(RenderState state, Expression[] expressions)
    {
        if (expressions.Length == 0) return [];
        state.Budget.ChargeItems(expressions.Length);
        var values = new Value[expressions.Length];
        for (int i = 0; i < values.Length; i++) values[i] = expressions[i].Evaluate(state);
        return values;
    }
}

/// <summary>A literal, or the text between tags.</summary>
internal sealed class ConstantExpression(int line, Value value) : Expression(line)
{
    public Value Value => value;

    public override Value Evaluate(RenderState state) => value;

    public override void Print(RenderState state)
    {
        if (value.IsText) state.Output.Append(value.Text);
        else base.Print(state);
    }
}

/// <summary>A variable. Built-in functions have the lowest rank: any variable of the same name hides them.</summary>
internal sealed class NameExpression(int line, Identifier name) : Expression(line)
{
    private readonly Value fallback = Globals.Find(name.Text)?.On(default) ?? Value.Undefined(name.Text);

    public Identifier Name => name;

    public override Value Evaluate(RenderState state) => state.Scope.TryFind(name.Id, out Value value) ? value : fallback;
}

/// <summary><c>(a, b)</c></summary>
internal sealed class TupleExpression(int line, Expression[] items) : Expression(line)
{
    public Expression[] Items => items;

    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        return Value.Tuple(EvaluateAll(state, items));
    }
}

/// <summary><c>[a, b]</c></summary>
internal sealed class ListExpression(int line, Expression[] items) : Expression(line)
{
    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        return Value.List(EvaluateAll(state, items));
    }
}

/// <summary><c>{'a': b}</c></summary>
internal sealed class DictExpression(int line, Expression[] keys, Expression[] values) : Expression(line)
{
    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        state.Budget.ChargeItems(keys.Length);
        var dict = new DictValue(keys.Length);
        for (int i = 0; i < keys.Length; i++) dict.Set(keys[i].Evaluate(state), values[i].Evaluate(state));
        return Value.Dict(dict);
    }
}

/// <summary><c>a if b else c</c>; without <c>else</c> the value is undefined.</summary>
internal sealed class ConditionalExpression(int line, Expression condition, Expression then, Expression? otherwise) : Expression(line)
{
    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        if (condition.Evaluate(state).IsTrue) return then.Evaluate(state);
        return otherwise?.Evaluate(state) ?? Value.UndefinedBecause("the condition is false and there is no 'else'");
    }
}

/// <summary><c>not a</c></summary>
internal sealed class NotExpression(int line, Expression operand) : Expression(line)
{
    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        return Value.Of(!operand.Evaluate(state).IsTrue);
    }
}

/// <summary><c>a and b</c>, <c>a or b</c>: the value of the operand that decides, not a boolean.</summary>
internal sealed class LogicalExpression(int line, Expression left, Expression right, bool isOr) : Expression(line)
{
    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        Value value = left.Evaluate(state);
        return value.IsTrue == isOr ? value : right.Evaluate(state);
    }
}

/// <summary><c>a ~ b ~ c</c>: all as text.</summary>
internal sealed class ConcatExpression(int line, Expression[] parts) : Expression(line)
{
    public override Value Evaluate(RenderState state)
    {
        Budget.Descend(parts.Length);
        TextBuilder builder = state.RentBuilder();
        foreach (Expression part in parts) ValuePrinter.Str(builder, part.Evaluate(state));
        return state.Finish(builder);
    }

    public override void Print(RenderState state)
    {
        Budget.Descend(parts.Length);
        foreach (Expression part in parts) part.Print(state);
    }
}
