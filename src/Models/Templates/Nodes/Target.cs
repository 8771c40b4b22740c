namespace Inference.Models.Templates;

/// <summary>What can stand left of an assignment.</summary>
internal abstract class Target
{
    /// <param name="state">The render.</param>
    /// <param name="scope">Where a variable is made.</param>
    /// <param name="value">What is assigned.</param>
    public abstract void Assign(RenderState state, Scope scope, Value value);
}

internal sealed class NameTarget(Identifier name) : Target
{
    public override void Assign(RenderState state, Scope scope, Value value) => scope.Set(name.Id, value);
}

/// <summary><c>ns.name</c>, of a namespace only.</summary>
internal sealed class NamespaceTarget(Identifier owner, string attribute) : Target
{
    public override void Assign(RenderState state, Scope scope, Value value)
    {
        if (!scope.TryFind(owner.Id, out Value found)) throw Value.Undefined(owner.Text).UndefinedError();
        NamespaceValue target = found.As<NamespaceValue>() ?? throw new TemplateException($"'{owner.Text}' is a {found.TypeName}; only attributes of a namespace can be assigned");
        target.Set(attribute, value);
    }
}

/// <summary><c>a, (b, c)</c></summary>
internal sealed class TupleTarget(Target[] targets) : Target
{
    public override void Assign(RenderState state, Scope scope, Value value)
    {
        Budget.Descend();
        Value[] items = Sequences.ToArray(state, value);
        if (items.Length != targets.Length) throw new TemplateException($"{targets.Length} variables cannot take {items.Length} values");
        for (int i = 0; i < items.Length; i++) targets[i].Assign(state, scope, items[i]);
    }
}
