namespace Inference.Models.Templates;

/// <summary>
/// Variables of a block. Names are numbers that the parser gave out, and a block has a few at most, so they are looked through in turn. An inner block sees
/// the outer variables and cannot change them: assigning makes one of its own.
/// </summary>
internal sealed class Scope
{
    private int[] names = new int[4];
    private Value[] values = new Value[4];
    private int count;

    public Scope(Scope? parent) => Parent = parent;

    public Scope? Parent { get; private set; }

    /// <summary>Whether a macro may still look at these variables, so that the scope cannot be used again.</summary>
    public bool IsCaptured { get; private set; }

    /// <summary>Looks here, then outwards.</summary>
    public bool TryFind(int name, out Value value)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Parent)
        {
            int at = Array.IndexOf(scope.names, name, 0, scope.count);
            if (at < 0) continue;
            value = scope.values[at];
            return true;
        }
        value = default;
        return false;
    }

    public void Set(int name, Value value)
    {
        int at = Array.IndexOf(names, name, 0, count);
        if (at >= 0)
        {
            values[at] = value;
            return;
        }
        if (count == names.Length)
        {
            Array.Resize(ref names, count * 2);
            Array.Resize(ref values, count * 2);
        }
        (names[count], values[count]) = (name, value);
        count++;
    }

    /// <summary>Empties the scope for another use.</summary>
    public void Reset(Scope? parent)
    {
        values.AsSpan(0, count).Clear();
        count = 0;
        Parent = parent;
    }

    /// <summary>Keeps this scope and those around it as they are, for a macro that is defined here.</summary>
    public Scope Capture()
    {
        for (Scope? scope = this; scope is { IsCaptured: false }; scope = scope.Parent) scope.IsCaptured = true;
        return this;
    }
}
