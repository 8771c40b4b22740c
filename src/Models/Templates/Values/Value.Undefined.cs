namespace Inference.Models.Templates;

/// <content>An undefined value remembers what was looked for, since the error comes later, when it is used.</content>
internal readonly partial struct Value
{
    private enum UndefinedReason
    {
        Variable,
        Parameter,
        Explained,

        /// <summary>The attribute of an object; added to this is the object's <see cref="ValueKind"/>.</summary>
        Attribute = 16,
    }

    /// <summary>A variable that has no value.</summary>
    public static Value Undefined(string name) => new(ValueKind.Undefined, name);

    /// <summary>A macro's parameter that got no argument.</summary>
    public static Value UndefinedParameter(string name) => new(ValueKind.Undefined, name, (long)UndefinedReason.Parameter);

    /// <summary>A value that is missing for the given reason.</summary>
    public static Value UndefinedBecause(string reason) => new(ValueKind.Undefined, reason, (long)UndefinedReason.Explained);

    /// <summary>An attribute or element that an object lacks.</summary>
    public static Value UndefinedAttribute(Value owner, string name) => new(ValueKind.Undefined, name, (long)UndefinedReason.Attribute + (long)owner.Kind);

    /// <summary>The error of using an undefined value where a value is needed.</summary>
    public TemplateException UndefinedError() => new(bits switch
    {
        (long)UndefinedReason.Variable => $"'{reference}' is undefined",
        (long)UndefinedReason.Parameter => $"parameter '{reference}' was not given",
        (long)UndefinedReason.Explained => (string)reference!,
        _ => $"'{reference}' is no attribute or element of this {OwnerName((ValueKind)(bits - (long)UndefinedReason.Attribute))}",
    });

    private static string OwnerName(ValueKind kind) => kind switch
    {
        ValueKind.None => "none",
        ValueKind.Text => "string",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
