namespace Inference.Models.Templates;

/// <summary><c>a + b + c</c>. One node for the whole sum, so that long texts are joined once and not term by term.</summary>
internal sealed class SumExpression(int line, List<Expression> terms) : Expression(line)
{
    public List<Expression> Terms => terms;

    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        Value sum = terms[0].Evaluate(state);
        TextBuilder? builder = null;
        for (int i = 1; i < terms.Count; i++)
        {
            Value term = terms[i].Evaluate(state);
            bool plain = IsPlainText(term);
            if (builder is null && plain && IsPlainText(sum)) builder = state.RentBuilder().Append(sum);
            if (builder is not null && plain)
            {
                builder.Append(term);
                continue;
            }
            if (builder is not null) sum = state.Finish(builder);
            builder = null;
            state.Line = Line;
            sum = Operators.Add(state, sum, term);
        }
        return builder is null ? sum : state.Finish(builder);
    }

    private static bool IsPlainText(Value value) => value.IsText && !value.IsMarkup;
}

/// <summary>The operators of arithmetic with two operands, except <c>+</c>.</summary>
internal sealed class BinaryExpression(int line, string operation, Expression left, Expression right) : Expression(line)
{
    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        Value a = left.Evaluate(state), b = right.Evaluate(state);
        state.Line = Line;
        return Operators.Apply(state, operation, a, b);
    }
}

/// <summary><c>-a</c>, <c>+a</c></summary>
internal sealed class SignExpression(int line, bool negative, Expression operand) : Expression(line)
{
    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        Value value = operand.Evaluate(state);
        state.Line = Line;
        if (value.IsUndefined) throw value.UndefinedError();
        if (!value.IsNumber) throw new TemplateException($"a {value.TypeName} has no sign");
        return negative ? Numbers.Negate(value) : value.Kind == ValueKind.Boolean ? Value.Of(value.AsLong) : value;
    }
}

/// <summary><c>a &lt; b == c</c>: each operand is evaluated once, and all neighbours must compare.</summary>
internal sealed class ComparisonExpression(int line, Expression first, (string Operator, Expression Operand)[] rest) : Expression(line)
{
    public override Value Evaluate(RenderState state)
    {
        Budget.Descend();
        Value left = first.Evaluate(state);
        foreach ((string operation, Expression operand) in rest)
        {
            Value right = operand.Evaluate(state);
            state.Line = Line;
            if (!Operators.Compare(state, operation, left, right)) return Value.False;
            left = right;
        }
        return Value.True;
    }
}

/// <summary>What operators do with values.</summary>
internal static class Operators
{
    public static bool Compare(RenderState state, string operation, Value left, Value right) => operation switch
    {
        "==" => ValueComparison.AreEqual(left, right),
        "!=" => !ValueComparison.AreEqual(left, right),
        "in" => Sequences.Contains(state, right, left),
        "not in" => !Sequences.Contains(state, right, left),
        "<" => ValueComparison.Compare(left, right, operation) < 0,
        "<=" => ValueComparison.Compare(left, right, operation) <= 0,
        ">" => ValueComparison.Compare(left, right, operation) > 0,
        _ => ValueComparison.Compare(left, right, operation) >= 0,
    };

    public static Value Apply(RenderState state, string operation, Value a, Value b)
    {
        if (a.IsNumber && b.IsNumber)
            return operation switch
            {
                "-" => Numbers.Subtract(a, b),
                "*" => Numbers.Multiply(a, b),
                "/" => Numbers.Divide(a, b),
                "//" => Numbers.FloorDivide(a, b),
                "%" => Numbers.Modulo(a, b),
                _ => Numbers.Power(a, b),
            };
        if (operation == "%" && a.IsText) return PercentFormat.Format(state, a, b);
        if (operation == "*" && b.IsIntegral && (a.IsText || a.IsArray)) return Repeat(state, a, b);
        if (operation == "*" && a.IsIntegral && (b.IsText || b.IsArray)) return Repeat(state, b, a);
        throw NotDefined(operation, a, b);
    }

    public static Value Add(RenderState state, Value a, Value b)
    {
        if (a.IsNumber && b.IsNumber) return Numbers.Add(a, b);
        if (a.IsText && b.IsText)
        {
            // Markup escapes what it is joined with.
            bool markup = a.IsMarkup || b.IsMarkup;
            TextBuilder builder = state.RentBuilder();
            builder.Append(markup ? Html.Escape(state, a) : a).Append(markup ? Html.Escape(state, b) : b);
            Value text = state.Finish(builder);
            return markup ? text.AsMarkup() : text;
        }
        if (a.IsArray && a.Kind == b.Kind)
        {
            state.Budget.ChargeItems(a.AsArray.Length + b.AsArray.Length);
            Value[] items = [.. a.AsArray, .. b.AsArray];
            return a.Kind == ValueKind.List ? Value.List(items) : Value.Tuple(items);
        }
        throw NotDefined("+", a, b);
    }

    private static Value Repeat(RenderState state, Value value, Value times)
    {
        long count = times.IsBig ? (times.AsBig.Sign < 0 ? 0 : long.MaxValue) : Math.Max(0, times.AsLong);
        long size = value.IsText ? value.Text.Length : value.AsArray.Length;
        if (size == 0 || count == 0) return value.IsText ? Value.Empty : value.Kind == ValueKind.List ? Value.EmptyList : Value.Tuple();
        if (count > Budget.MaxText / size) throw new TemplateException($"a {value.TypeName} is repeated too often");
        if (value.IsText)
        {
            TextBuilder builder = state.RentBuilder();
            for (long i = 0; i < count; i++) builder.Append(value);
            Value text = state.Finish(builder);
            return value.IsMarkup ? text.AsMarkup() : text;
        }
        state.Budget.ChargeItems(size * count);
        var items = new Value[size * count];
        for (int i = 0; i < count; i++) value.AsArray.CopyTo(items, i * size);
        return value.Kind == ValueKind.List ? Value.List(items) : Value.Tuple(items);
    }

    private static TemplateException NotDefined(string operation, Value a, Value b) =>
        a.IsUndefined ? a.UndefinedError() : b.IsUndefined ? b.UndefinedError() : new TemplateException($"'{operation}' is not defined between a {a.TypeName} and a {b.TypeName}");
}
