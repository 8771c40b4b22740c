using System.Collections.Frozen;

namespace Inference.Models.Templates;

/// <summary>What can follow <c>is</c>.</summary>
internal static class Tests
{
    private static readonly FrozenDictionary<string, NativeFunction> All = Create().ToFrozenDictionary(test => test.Name, StringComparer.Ordinal);

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
        yield return Of("callable", value => value.Kind == ValueKind.Object && value.AsObject.IsCallable);
        yield return Of("escaped", value => value.IsMarkup);
        yield return Of("lower", value => TextCase.IsLower(Plain(value)));
        yield return Of("upper", value => TextCase.IsUpper(Plain(value)));
        yield return Of("odd", value => Remainder(value, Value.Of(2)) is 1);
        yield return Of("even", value => Remainder(value, Value.Of(2)) is 0);
        yield return Of("filter", value => value.IsText && Filters.Find(value.Text) is not null);
        yield return Of("test", value => value.IsText && Find(value.Text) is not null);
        yield return Of("divisibleby", "num", (state, value, number) => Remainder(value, number) is 0);
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

    private static double? Remainder(Value value, Value divisor)
    {
        if (value.IsUndefined) throw value.UndefinedError();
        if (!value.IsNumber || !divisor.IsNumber) throw new TemplateException($"a {value.TypeName} has no remainder by a {divisor.TypeName}");
        return Numbers.Modulo(value, divisor).AsDouble;
    }

    private static string Plain(Value value) => value.IsText ? value.Text : value.IsNone ? "None" : value.IsNumber ? NumberText.Repr(value) : "";
}
