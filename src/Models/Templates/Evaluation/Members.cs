using System.Diagnostics.CodeAnalysis;

namespace Inference.Models.Templates;

/// <summary>Attributes, methods and items of values. All that a template can reach stands in tables; names with a leading underscore lead nowhere.</summary>
internal static class Members
{
    /// <summary><c>value.name</c>: <c>x.items</c> is the method even where there is a key of that name.</summary>
    public static Value Attribute(Value value, string name)
    {
        if (value.IsUndefined) throw value.UndefinedError();
        if (TryGetAttribute(value, name, out Value found)) return found;
        return Sequences.TryGetItem(value, Value.Of(name), out found) ? found : Value.UndefinedAttribute(value, name);
    }

    /// <summary><c>value[key]</c>: <c>x['items']</c> is the key where there is one.</summary>
    public static Value Item(Value value, Value key)
    {
        if (value.IsUndefined) throw value.UndefinedError();
        if (Sequences.TryGetItem(value, key, out Value found)) return found;
        if (key.IsText && TryGetAttribute(value, key.Text, out found)) return found;
        return Value.UndefinedAttribute(value, key.IsText ? key.Text : key.IsNumber ? NumberText.Repr(key) : key.TypeName);
    }

    public static bool TryFindMethod(Value value, string name, [NotNullWhen(true)] out NativeFunction? method)
    {
        method = value.Kind switch
        {
            ValueKind.Text => TextMethods.Find(name),
            ValueKind.List => CollectionMethods.FindOfList(name),
            ValueKind.Tuple => CollectionMethods.FindOfTuple(name),
            ValueKind.Dict => CollectionMethods.FindOfDict(name),
            ValueKind.Integer or ValueKind.Boolean or ValueKind.Float => CollectionMethods.FindOfNumber(name, value.Kind),
            _ => null,
        };
        return method is not null;
    }

    private static bool TryGetAttribute(Value value, string name, out Value found)
    {
        found = default;
        if (value.Kind == ValueKind.Object) return value.AsObject.TryGetAttribute(name, out found);
        if (TryFindMethod(value, name, out NativeFunction? method)) found = method.On(value);
        else if (CollectionMethods.Changes(value.Kind, name)) found = Value.UndefinedBecause($"'{name}' would change a {value.TypeName}, which templates may not");
        else if (value.IsGroup && name is "grouper" or "list") found = value.AsArray[name == "list" ? 1 : 0];
        else return false;
        return true;
    }
}
