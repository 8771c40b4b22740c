namespace Inference.Models.Templates;

/// <summary>A built-in function, filter or method.</summary>
/// <param name="state">The render.</param>
/// <param name="target">What a filter or method works on; undefined for a function.</param>
/// <param name="arguments">What was passed.</param>
internal delegate Value NativeCode(RenderState state, Value target, in Arguments arguments);

/// <summary>A built-in function, filter or method whose arguments are bound to parameters.</summary>
internal delegate Value BoundCode(RenderState state, Value target, Value[] arguments);

/// <summary>A built-in with its name.</summary>
internal sealed class NativeFunction(string name, NativeCode code)
{
    public string Name => name;

    public NativeCode Code => code;

    /// <summary>One with parameters; see <see cref="Signature"/>.</summary>
    public static NativeFunction Bound(string name, string parameters, BoundCode code)
    {
        var signature = new Signature(parameters);
        return new NativeFunction(name, (RenderState state, Value target, in Arguments arguments) => code(state, target, signature.Bind(name, arguments)));
    }

    /// <summary>The same under another name.</summary>
    public NativeFunction Named(string other) => new(other, code);

    /// <summary>As a value, already given its target.</summary>
    public Value On(Value target) => Value.Of(new BoundFunction(this, target));

    public static Value Of(string name, NativeCode code) => new NativeFunction(name, code).On(default);

    private sealed class BoundFunction(NativeFunction function, Value target) : TemplateObject
    {
        public override string TypeName => "builtin_function_or_method";

        public override bool IsCallable => true;

        public override Value Call(RenderState state, in Arguments arguments) => function.Code(state, target, arguments);

        public override void Print(TextBuilder to) => to.Append($"<built-in function {function.Name}>");
    }
}

/// <summary>A macro, or the body of a <c>call</c> block, with the variables around its definition.</summary>
internal sealed class MacroValue(MacroDefinition definition, Scope closure) : TemplateObject
{
    public override string TypeName => "Macro";

    public override bool IsCallable => true;

    public override bool TryGetAttribute(string name, out Value value)
    {
        value = name switch
        {
            "name" => Value.Of(definition.Name),
            "arguments" => Value.Tuple([.. definition.Parameters.Select(parameter => Value.Of(parameter.Text))]),
            "caller" => Value.Of(definition.UsesCaller),
            "catch_kwargs" => Value.Of(definition.UsesKeywords),
            "catch_varargs" => Value.Of(definition.UsesRest),
            _ => default,
        };
        return !value.IsUndefined;
    }

    /// <summary>Renders the body and returns what it wrote.</summary>
    public override Value Call(RenderState state, in Arguments arguments)
    {
        state.Budget.EnterCall();
        Budget.Descend();
        Scope outer = state.Scope;
        state.Scope = state.RentScope(closure);
        definition.Bind(state, arguments);
        state.Capture(definition.Body, out Value text);
        state.ReturnScope(state.Scope);
        state.Scope = outer;
        state.Budget.LeaveCall();
        return text;
    }

    public override void Print(TextBuilder to) => to.Append($"<Macro '{definition.Name}'>");
}
