namespace Inference.Models.Templates;

/// <summary><c>map</c>, <c>select</c> and its kin. All are lazy: an error in an item, or in the arguments, shows when the items are asked for.</summary>
internal static class SelectionFilters
{
    public static IEnumerable<NativeFunction> Create()
    {
        yield return new("map", (RenderState state, Value value, in Arguments arguments) => SequenceFilters.Lazy(Map(state, value, arguments)));
        yield return new("select", (RenderState state, Value value, in Arguments arguments) => SequenceFilters.Lazy(Select(state, value, arguments, wanted: true, byAttribute: false)));
        yield return new("reject", (RenderState state, Value value, in Arguments arguments) => SequenceFilters.Lazy(Select(state, value, arguments, wanted: false, byAttribute: false)));
        yield return new("selectattr", (RenderState state, Value value, in Arguments arguments) => SequenceFilters.Lazy(Select(state, value, arguments, wanted: true, byAttribute: true)));
        yield return new("rejectattr", (RenderState state, Value value, in Arguments arguments) => SequenceFilters.Lazy(Select(state, value, arguments, wanted: false, byAttribute: true)));
    }

    private static IEnumerable<Value> Map(RenderState state, Value value, Arguments arguments)
    {
        if (!value.IsTrue) yield break;
        Func<Value, Value> map = Mapping(state, arguments);
        foreach (Value item in Sequences.Enumerate(value))
        {
            state.Budget.ChargeCall(item);
            yield return map(item);
        }
    }

    /// <summary>A filter by name with its arguments, or an attribute.</summary>
    private static Func<Value, Value> Mapping(RenderState state, Arguments arguments)
    {
        if (arguments.Positional.Length == 0 && arguments.TryGetNamed("attribute", out Value attribute))
        {
            arguments.TryGetNamed("default", out Value fallback);
            if (arguments.Names.FirstOrDefault(name => name is not ("attribute" or "default")) is { } other) throw new TemplateException($"map has no parameter '{other}'");
            return new ItemKey(attribute, caseSensitive: true, fallback).Of;
        }
        if (arguments.Positional.Length == 0) throw new TemplateException("map needs the name of a filter");
        NativeFunction filter = ByName(arguments.Positional[0], Filters.Find, Filters.Unknown);
        Arguments rest = arguments.Skip(1);
        return item => filter.Code(state, item, rest);
    }

    private static IEnumerable<Value> Select(RenderState state, Value value, Arguments arguments, bool wanted, bool byAttribute)
    {
        if (!value.IsTrue) yield break;
        if (byAttribute && arguments.Positional.Length == 0) throw new TemplateException("the name of an attribute is missing");
        ItemKey? key = byAttribute ? new ItemKey(arguments.Positional[0], caseSensitive: true) : null;
        int skip = byAttribute ? 1 : 0;
        NativeFunction? test = arguments.Positional.Length > skip ? ByName(arguments.Positional[skip], Tests.Find, Tests.Unknown) : null;
        Arguments rest = test is null ? Arguments.None : arguments.Skip(skip + 1);
        foreach (Value item in Sequences.Enumerate(value))
        {
            state.Budget.ChargeCall(item);
            Value tested = key?.Of(item) ?? item;
            if ((test is null ? tested : test.Code(state, tested, rest)).IsTrue == wanted) yield return item;
        }
    }

    private static NativeFunction ByName(Value name, Func<string, NativeFunction?> find, Func<string, TemplateException> unknown)
    {
        string text = TextOperations.TextArgument(name, "the name of a filter or test");
        return find(text) ?? throw unknown(text);
    }
}
