namespace Inference.Models.Templates;

/// <summary>Everything that changes while a template renders. Belongs to one render at a time; <see cref="Template"/> uses it again for the next.</summary>
internal sealed class RenderState
{
    private readonly Stack<TextBuilder> builders = new();
    private readonly Stack<Scope> scopes = new();

    public RenderState()
    {
        Output = new TextBuilder(Budget);
        Scope = new Scope(null);
    }

    public Budget Budget { get; } = new();

    /// <summary>Where output goes: the prompt, or the text of the macro or block that is being rendered.</summary>
    public TextBuilder Output { get; private set; }

    /// <summary>Innermost variables.</summary>
    public Scope Scope { get; set; }

    /// <summary>Variables of the whole template, with those it was given.</summary>
    public Scope Root { get; private set; } = new(null);

    /// <summary>Line that is being rendered, for errors.</summary>
    public int Line { get; set; }

    /// <summary>What the block wrote that a filter now works on.</summary>
    public Value Captured { get; set; }

    /// <summary>What <c>strftime_now</c> reads.</summary>
    public TimeProvider Clock { get; private set; } = TimeProvider.System;

    public void Begin(TimeProvider clock)
    {
        Budget.Begin();
        Clock = clock;
        Line = 1;
        Output.Clear();
        // A macro may have captured the root; a new one each time is one small object.
        Root = Scope = new Scope(null);
    }

    public void End() => Budget.End();

    public TextBuilder RentBuilder() => builders.TryPop(out TextBuilder? builder) ? builder : new TextBuilder(Budget);

    /// <summary>The text of a rented builder, which goes back.</summary>
    public Value Finish(TextBuilder builder)
    {
        Value value = builder.ToValue();
        builder.Clear();
        builders.Push(builder);
        return value;
    }

    /// <summary>Runs statements and catches their output.</summary>
    /// <param name="body">The statements.</param>
    /// <param name="text">What they wrote.</param>
    public Flow Capture(Statement[] body, out Value text)
    {
        TextBuilder outer = Output;
        Output = RentBuilder();
        Flow flow = Statement.Run(this, body);
        text = Finish(Output);
        Output = outer;
        return flow;
    }

    /// <inheritdoc cref="Capture(Statement[], out Value)"/>
    public Value Capture(Statement[] body)
    {
        Capture(body, out Value text);
        return text;
    }

    /// <summary>Enters a scope around the current variables.</summary>
    public Scope EnterScope() => Scope = RentScope(Scope);

    /// <summary>Leaves the scope that was entered last.</summary>
    public void LeaveScope()
    {
        Scope inner = Scope;
        Scope = inner.Parent!;
        ReturnScope(inner);
    }

    public Scope RentScope(Scope parent)
    {
        if (!scopes.TryPop(out Scope? scope)) return new Scope(parent);
        scope.Reset(parent);
        return scope;
    }

    public void ReturnScope(Scope scope)
    {
        if (!scope.IsCaptured) scopes.Push(scope);
    }
}
