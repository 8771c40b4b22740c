namespace Inference.Models.Templates;

/// <summary>A name in a template and the number that stands for it in a <see cref="Scope"/>.</summary>
internal readonly record struct Identifier(string Text, int Id);

/// <summary>A macro as it is written.</summary>
internal sealed class MacroDefinition
{
    public required string Name { get; init; }

    public required Identifier[] Parameters { get; init; }

    /// <summary>Of the last parameters; evaluated anew in each call.</summary>
    public required Expression[] Defaults { get; init; }

    /// <summary>Filled once the body is parsed.</summary>
    public Statement[] Body { get; set; } = [];

    /// <summary><c>caller</c>, if the body mentions it: a macro that does not cannot be used in a <c>call</c> block. The same goes for the next two.</summary>
    public Identifier? Caller { get; set; }

    /// <summary><c>varargs</c>: the arguments by position beyond the parameters.</summary>
    public Identifier? Rest { get; set; }

    /// <summary><c>kwargs</c>: the arguments by name beyond the parameters.</summary>
    public Identifier? Keywords { get; set; }

    public bool UsesCaller => Caller is not null;

    public bool UsesRest => Rest is not null;

    public bool UsesKeywords => Keywords is not null;

    /// <summary>Sets the parameters in the current scope, which is the macro's.</summary>
    /// <exception cref="TemplateException">Arguments without a parameter.</exception>
    public void Bind(RenderState state, in Arguments arguments)
    {
        Scope scope = state.Scope;
        int positional = Math.Min(arguments.Positional.Length, Parameters.Length), used = 0;
        for (int i = 0; i < positional; i++) scope.Set(Parameters[i].Id, arguments.Positional[i]);
        for (int i = positional; i < Parameters.Length; i++)
        {
            Identifier parameter = Parameters[i];
            int hasDefault = i - (Parameters.Length - Defaults.Length);
            if (arguments.TryGetNamed(parameter.Text, out Value value)) used++;
            else value = hasDefault >= 0 ? Defaults[hasDefault].Evaluate(state) : Value.UndefinedParameter(parameter.Text);
            scope.Set(parameter.Id, value);
        }
        if (Caller is { } caller && !Array.Exists(Parameters, parameter => parameter.Id == caller.Id))
        {
            bool given = arguments.TryGetNamed(caller.Text, out Value value);
            if (given) used++;
            scope.Set(caller.Id, given ? value : Value.UndefinedBecause("no caller is defined"));
        }
        if (Keywords is { } keywords) scope.Set(keywords.Id, UnusedNames(arguments, positional));
        else if (used < arguments.Names.Length) throw new TemplateException($"macro '{Name}' has no free parameter '{FirstUnused(arguments, positional)}'");
        if (Rest is { } rest) scope.Set(rest.Id, Value.Tuple(arguments.Positional[positional..]));
        else if (arguments.Positional.Length > positional) throw new TemplateException($"macro '{Name}' takes at most {Parameters.Length} arguments, not {arguments.Positional.Length}");
    }

    private Value UnusedNames(in Arguments arguments, int positional)
    {
        var dict = new DictValue(arguments.Names.Length);
        for (int i = 0; i < arguments.Names.Length; i++)
            if (IsUnused(arguments.Names[i], positional)) dict.Set(Value.Of(arguments.Names[i]), arguments.Named[i]);
        return Value.Dict(dict);
    }

    private string FirstUnused(in Arguments arguments, int positional) => arguments.Names.First(name => IsUnused(name, positional));

    private bool IsUnused(string name, int positional) =>
        name != Caller?.Text && Array.FindIndex(Parameters, parameter => parameter.Text == name) is var at && (at < 0 || at < positional);
}
