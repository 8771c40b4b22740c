namespace Inference.Models.Templates;

/// <summary>What runs after a statement.</summary>
internal enum Flow
{
    /// <summary>The next one.</summary>
    Next,

    /// <summary>What follows the loop.</summary>
    Break,

    /// <summary>The loop's next iteration.</summary>
    Continue,
}

/// <summary>A part of a template that does something: writes, assigns, or decides what runs.</summary>
/// <param name="line">Line in the template.</param>
internal abstract class Statement(int line)
{
    public int Line => line;

    public abstract Flow Execute(RenderState state);

    public static Flow Run(RenderState state, Statement[] body)
    {
        foreach (Statement statement in body)
        {
            state.Line = statement.Line;
            Flow flow = statement.Execute(state);
            if (flow != Flow.Next) return flow;
        }
        return Flow.Next;
    }
}

/// <summary>Text between tags and <c>{{ … }}</c>.</summary>
internal sealed class OutputStatement(int line, Expression[] parts) : Statement(line)
{
    public override Flow Execute(RenderState state)
    {
        foreach (Expression part in parts)
        {
            state.Line = part.Line;
            part.Print(state);
        }
        return Flow.Next;
    }
}

/// <summary><c>if … elif … else</c>. Makes no scope: what is assigned inside stays assigned.</summary>
internal sealed class IfStatement(int line, (Expression Condition, Statement[] Body)[] branches, Statement[] otherwise) : Statement(line)
{
    public override Flow Execute(RenderState state)
    {
        Budget.Descend();
        foreach ((Expression condition, Statement[] body) in branches)
        {
            state.Line = condition.Line;
            if (condition.Evaluate(state).IsTrue) return Run(state, body);
        }
        return Run(state, otherwise);
    }
}

/// <summary><c>break</c> and <c>continue</c>.</summary>
internal sealed class JumpStatement(int line, Flow flow) : Statement(line)
{
    public override Flow Execute(RenderState state) => flow;
}

/// <summary><c>set a = b</c></summary>
internal sealed class SetStatement(int line, Target target, Expression value) : Statement(line)
{
    public override Flow Execute(RenderState state)
    {
        Value result = value.Evaluate(state);
        state.Line = Line;
        target.Assign(state, state.Scope, result);
        return Flow.Next;
    }
}

/// <summary>Runs a body in a scope of its own and hands what it wrote, perhaps filtered, to a variable (<c>set</c>) or to the output (<c>filter</c>).</summary>
/// <param name="line">Line in the template.</param>
/// <param name="target">Where to; null for the output.</param>
/// <param name="filter">Filters over a <see cref="CapturedExpression"/>, or null.</param>
/// <param name="body">The body.</param>
internal sealed class CaptureStatement(int line, Target? target, Expression? filter, Statement[] body) : Statement(line)
{
    public override Flow Execute(RenderState state)
    {
        Budget.Descend();
        state.EnterScope();
        Flow flow = state.Capture(body, out Value text);
        state.LeaveScope();
        if (flow != Flow.Next) return flow;
        state.Captured = text;
        state.Line = Line;
        if (filter is not null) text = filter.Evaluate(state);
        if (target is not null) target.Assign(state, state.Scope, text);
        else ValuePrinter.Str(state.Output, text);
        return Flow.Next;
    }
}

/// <summary><c>with a = b, c = d</c>, and blocks that are a scope and nothing more. The values see the variables outside only.</summary>
internal sealed class ScopeStatement(int line, (Target Target, Expression Value)[] variables, Statement[] body, bool fromRoot = false) : Statement(line)
{
    public override Flow Execute(RenderState state)
    {
        Budget.Descend();
        Scope outer = state.Scope;
        Scope inner = state.RentScope(fromRoot ? state.Root : outer);
        foreach ((Target target, Expression value) in variables) target.Assign(state, inner, value.Evaluate(state));
        state.Scope = inner;
        Flow flow = Run(state, body);
        state.ReturnScope(inner);
        state.Scope = outer;
        return flow;
    }
}

/// <summary><c>macro name(…)</c></summary>
internal sealed class MacroStatement(int line, Identifier name, MacroDefinition definition) : Statement(line)
{
    public override Flow Execute(RenderState state)
    {
        state.Scope.Set(name.Id, Value.Of(new MacroValue(definition, state.Scope.Capture())));
        return Flow.Next;
    }
}

/// <summary><c>call(…) macro(…)</c>: the macro gets the body as <c>caller</c>.</summary>
internal sealed class CallStatement(int line, CallExpression call, MacroDefinition body) : Statement(line)
{
    public override Flow Execute(RenderState state)
    {
        ValuePrinter.Str(state.Output, call.Evaluate(state, new MacroValue(body, state.Scope.Capture())));
        return Flow.Next;
    }
}

/// <summary>A tag that needs other templates, of which there are none; wrong only where it is reached.</summary>
internal sealed class UnavailableStatement(int line, string tag) : Statement(line)
{
    public override Flow Execute(RenderState state) => throw new TemplateException($"'{tag}' needs other templates, and a chat template stands alone", Line);
}
