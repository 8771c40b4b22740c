namespace Inference.Models.Templates;

/// <summary>What a call passes: values by position, then values by name.</summary>
/// <param name="Positional">By position.</param>
/// <param name="Names">Names of the others, none twice.</param>
/// <param name="Named">Their values.</param>
internal readonly record struct Arguments(Value[] Positional, string[] Names, Value[] Named)
{
    public static Arguments None { get; } = new([], [], []);

    public static Arguments Of(params Value[] positional) => new(positional, [], []);

    public int Count => Positional.Length + Names.Length;

    /// <summary>The same without the first few by position.</summary>
    public Arguments Skip(int count) => new(Positional[count..], Names, Named);

    public bool TryGetNamed(string name, out Value value)
    {
        int at = Array.IndexOf(Names, name);
        value = at >= 0 ? Named[at] : default;
        return at >= 0;
    }
}

/// <summary>The parameters of a built-in function: <c>"width=4, first=false"</c>. A parameter without a default must be given.</summary>
internal sealed class Signature
{
    private readonly string[] names;
    private readonly Value?[] defaults;
    private readonly Value[]? whenNoneGiven;

    /// <param name="text">Names, each perhaps with <c>=</c> and an integer, true, false, none, or text that stands for itself.</param>
    public Signature(string text)
    {
        string[][] parameters = [.. text.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(part => part.Split('=', 2))];
        names = [.. parameters.Select(parameter => parameter[0])];
        defaults = [.. parameters.Select(parameter => parameter.Length == 1 ? (Value?)null : Default(parameter[1]))];
        if (Array.TrueForAll(defaults, value => value is not null)) whenNoneGiven = [.. defaults.Select(value => value!.Value)];
    }

    /// <summary>One value per parameter. The array is shared and not to be changed.</summary>
    /// <exception cref="TemplateException">Too many, unknown or missing arguments.</exception>
    public Value[] Bind(string function, in Arguments arguments)
    {
        if (arguments.Count == 0 && whenNoneGiven is not null) return whenNoneGiven;
        if (arguments.Positional.Length > names.Length) throw new TemplateException($"{function} takes at most {names.Length} arguments, not {arguments.Positional.Length}");
        if (arguments.Positional.Length == names.Length && arguments.Names.Length == 0) return arguments.Positional;
        var bound = new Value[names.Length];
        arguments.Positional.CopyTo(bound, 0);
        int used = 0;
        for (int i = 0; i < names.Length; i++)
        {
            bool named = arguments.TryGetNamed(names[i], out Value value);
            if (named) used++;
            if (i < arguments.Positional.Length)
            {
                if (named) throw new TemplateException($"{function} got the argument '{names[i]}' twice");
                continue;
            }
            bound[i] = named ? value : defaults[i] ?? throw new TemplateException($"{function} lacks the argument '{names[i]}'");
        }
        if (used == arguments.Names.Length) return bound;
        throw new TemplateException($"{function} has no parameter '{arguments.Names.First(name => !names.Contains(name))}'");
    }

    private static Value Default(string text) => text switch
    {
        "none" => Value.None,
        "true" => Value.True,
        "false" => Value.False,
        _ when int.TryParse(text, out int number) => Value.Of(number),
        _ => Value.Of(text),
    };
}
