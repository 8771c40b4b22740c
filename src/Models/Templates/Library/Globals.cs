namespace Inference.Models.Templates;

/// <summary>The functions that every template can call, Jinja's and those that Hugging Face adds.</summary>
internal static class Globals
{
    private static readonly Dictionary<string, NativeFunction> All = ((NativeFunction[])[
        new("range", Range),
        new("dict", Dict),
        new("namespace", Namespace),
        new("cycler", (RenderState state, Value target, in Arguments arguments) => Value.Of(new Cycler(arguments.Positional))),
        NativeFunction.Bound("joiner", "sep=none", (state, target, arguments) => Value.Of(new Joiner(arguments[0].IsNone ? Value.Of(", ") : arguments[0]))),
        NativeFunction.Bound("raise_exception", "message", RaiseException),
        NativeFunction.Bound("strftime_now", "format", (state, target, arguments) => Strftime.Format(state, arguments[0]))]).ToDictionary(function => function.Name, StringComparer.Ordinal);

    public static NativeFunction? Find(string name) => All.GetValueOrDefault(name);

    private static Value Range(RenderState state, Value target, in Arguments arguments)
    {
        if (arguments.Names.Length > 0 || arguments.Count is < 1 or > 3) throw new TemplateException("range takes one to three integers");
        long[] bounds = [.. arguments.Positional.Select(value => (long)Sequences.Index(value, "an argument of range"))];
        long step = bounds.Length > 2 ? bounds[2] : 1;
        if (step == 0) throw new TemplateException("the step of a range is 0");
        return Value.Of(bounds.Length == 1 ? new RangeValue(0, bounds[0], 1) : new RangeValue(bounds[0], bounds[1], step));
    }

    private static Value RaiseException(RenderState state, Value target, Value[] arguments)
    {
        TextBuilder message = state.RentBuilder();
        ValuePrinter.Str(message, arguments[0]);
        throw new TemplateException(message.ToString());
    }

    private static Value Dict(RenderState state, Value target, in Arguments arguments) => Value.Dict(Collect(state, "dict", arguments));

    private static Value Namespace(RenderState state, Value target, in Arguments arguments)
    {
        var result = new NamespaceValue();
        DictValue initial = Collect(state, "namespace", arguments);
        for (int i = 0; i < initial.Count; i++)
            result.Set(initial.Key(i).IsText ? initial.Key(i).Text : throw new TemplateException("a namespace has names for keys"), initial.ValueAt(i));
        return Value.Of(result);
    }

    /// <summary>A dictionary from a mapping or pairs, and from arguments by name.</summary>
    private static DictValue Collect(RenderState state, string function, in Arguments arguments)
    {
        if (arguments.Positional.Length > 1) throw new TemplateException($"{function} takes at most one argument by position");
        var result = new DictValue(Math.Max(2, arguments.Names.Length));
        state.Budget.ChargeItems(arguments.Names.Length);
        if (arguments.Positional is [var source])
        {
            if (source.Kind == ValueKind.Dict)
            {
                state.Budget.ChargeItems(source.AsDict.Count);
                for (int i = 0; i < source.AsDict.Count; i++) result.Set(source.AsDict.Key(i), source.AsDict.ValueAt(i));
            }
            else
            {
                foreach (Value pair in Sequences.Enumerate(source))
                {
                    state.Budget.ChargeItems();
                    Value[] parts = Sequences.ToArray(state, pair);
                    if (parts.Length != 2) throw new TemplateException($"{function} needs pairs, not {parts.Length} values");
                    result.Set(parts[0], parts[1]);
                }
            }
        }
        for (int i = 0; i < arguments.Names.Length; i++) result.Set(Value.Of(arguments.Names[i]), arguments.Named[i]);
        return result;
    }

    /// <summary>Gives its values in turn, again and again.</summary>
    private sealed class Cycler : TemplateObject
    {
        private readonly Value[] items;
        private int position;

        public Cycler(Value[] items) => this.items = items.Length > 0 ? items : throw new TemplateException("cycler needs values");

        public override string TypeName => "Cycler";

        public override bool TryGetAttribute(string name, out Value value)
        {
            value = name switch
            {
                "current" => items[position],
                "next" => NativeFunction.Bound("next", "", (state, target, arguments) => Next()).On(default),
                "reset" => NativeFunction.Bound("reset", "", (state, target, arguments) => Reset()).On(default),
                _ => default,
            };
            return name is "current" or "next" or "reset";
        }

        private Value Next()
        {
            Value current = items[position];
            position = (position + 1) % items.Length;
            return current;
        }

        private Value Reset()
        {
            position = 0;
            return Value.None;
        }
    }

    /// <summary>Empty at the first call, a separator at every later one.</summary>
    private sealed class Joiner(Value separator) : TemplateObject
    {
        private bool used;

        public override string TypeName => "Joiner";

        public override bool IsCallable => true;

        public override Value Call(RenderState state, in Arguments arguments)
        {
            if (used) return separator;
            used = true;
            return Value.Empty;
        }
    }
}
