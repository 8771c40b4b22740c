namespace Inference.Models.Templates;

/// <summary>What can follow <c>is</c>.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, NativeFunction> All = Create().ToDictionary(test => test.Name, StringComparer.Ordinal);

    public static NativeFunction? Find(string name) => All.GetValueOrDefault(name);

    public static TemplateException Unknown(string name) => new($"there is no test '{name}'");

    private static IEnumerable<NativeFunction> Create()
    {
        yield return Of("defined", value => !value.IsUndefined);
        yield return Of("undefined", value => value.IsUndefined);
        yield return Of("none", value => value.IsNone);
        yield return Of("boolean", value => value.Kind == ValueKind.Boolean);
        yield return Of("true", value => value.Kind == ValueKind.Boolean && value.AsBoolean);
        yield return Of("false", value => value.Kind == ValueKind.Boolean && !value.AsBoolean);
        yield return Of("integer", value => value.Kind == ValueKind.Integer);
        yield return Of("float", value => value.Kind == ValueKind.Float);
        yield return Of("number", value => value.IsNumber);
        yield return Of("string", value => value.IsText);
        yield return Of("mapping", value => value.Kind == ValueKind.Dict);
        yield return Of("sequence", value => value.IsUndefined || value.IsText || value.IsArray || value.Kind == ValueKind.Dict || (value.Kind == ValueKind.Object && value.AsObject.IsSequence));
        yield return Of("iterable", value => Sequences.TryEnumerate(value) is not null);
        // What is undefined has the form of a function too, in Jinja; calling it is the error.
        yield return Of("callable", value => value.IsUndefined || (value.Kind == ValueKind.Object && value.AsObject.IsCallable));
        yield return Of("escaped", value => value.IsMarkup);
        yield return OfText("lower", TextCase.IsLower);
        yield return OfText("upper", TextCase.IsUpper);
        yield return NativeFunction.Bound("odd", "", (state, value, arguments) => Value.Of(HasRemainder(state, value, Value.Of(2), 1)));
        yield return NativeFunction.Bound("even", "", (state, value, arguments) => Value.Of(HasRemainder(state, value, Value.Of(2), 0)));
        yield return Of("divisibleby", "num", (state, value, number) => HasRemainder(state, value, number, 0));
        yield return Of("filter", value => IsName(value, Filters.Find));
        yield return Of("test", value => IsName(value, Find));
        yield return Of("sameas", "other", (state, value, other) => value.IsSame(other));
        yield return Of("in", "seq", (state, value, container) => Sequences.Contains(state, container, value));
        foreach ((string name, string operation) in ((string, string)[])[
            ("==", "=="), ("eq", "=="), ("equalto", "=="), ("!=", "!="), ("ne", "!="), (">", ">"), ("gt", ">"), ("greaterthan", ">"), (">=", ">="), ("ge", ">="),
            ("<", "<"), ("lt", "<"), ("lessthan", "<"), ("<=", "<="), ("le", "<=")])
            yield return Of(name, "other", (state, value, other) => Operators.Compare(state, operation, value, other));
    }

    private static NativeFunction Of(string name, Func<Value, bool> test) =>
        NativeFunction.Bound("test " + name, "", (state, value, arguments) => Value.Of(test(value))).Named(name);

    private static NativeFunction Of(string name, string parameter, Func<RenderState, Value, Value, bool> test) =>
        NativeFunction.Bound("test " + name, parameter, (state, value, arguments) => Value.Of(test(state, value, arguments[0]))).Named(name);

    private static NativeFunction OfText(string name, Func<string, bool> test) => NativeFunction.Bound(name, "", (state, value, arguments) =>
    {
        state.Budget.ChargeCall(value);
        return Value.Of(test(ValuePrinter.Str(state, value).Text));
    });

    private static bool HasRemainder(RenderState state, Value value, Value divisor, long remainder) =>
        ValueComparison.AreEqual(Operators.Apply(state, "%", value, divisor), Value.Of(remainder));

    private static bool IsName(Value value, Func<string, NativeFunction?> find)
    {
        ValueComparison.CheckHashable(value);
        return value.IsText && find(value.Text) is not null;
    }
}
