namespace Inference.Models.Templates;

/// <summary><c>for a in b if c recursive … else …</c>. Each iteration has a scope of its own.</summary>
internal sealed class ForStatement(int line, Target target, Expression iterable, Identifier loopName) : Statement(line)
{
    /// <summary>Items for which it is false are left out before the loop counts them.</summary>
    public Expression? Condition { get; init; }

    public bool IsRecursive { get; init; }

    public required Statement[] Body { get; init; }

    /// <summary>What runs if there was no item, or if every iteration was left by <c>break</c> or <c>continue</c>, as Jinja has it.</summary>
    public required Statement[] Otherwise { get; init; }

    public override Flow Execute(RenderState state)
    {
        Budget.Descend();
        Value items = iterable.Evaluate(state);
        state.Line = Line;
        return RunLoop(state, state.Scope, items, depth0: 0);
    }

    /// <summary>Runs the loop for other items, called from its body, and returns what that wrote.</summary>
    public Value RunInside(RenderState state, Scope outer, Value items, int depth0)
    {
        state.Budget.EnterCall();
        Budget.Descend();
        Scope caller = state.Scope;
        Value text = state.Capture([new NestedRun(this, outer, items, depth0)]);
        state.Scope = caller;
        state.Budget.LeaveCall();
        return text;
    }

    private Flow RunLoop(RenderState state, Scope outer, Value items, int depth0)
    {
        // Recursion looks at the variables around the loop later, from inside.
        if (IsRecursive) outer.Capture();
        var loop = new LoopContext(this, outer, items, Condition is null ? null : Filter(state, outer, items), depth0);
        Value loopValue = Value.Of(loop);
        Scope scope = state.RentScope(outer);
        bool completed = false;
        Flow flow = Flow.Next;
        while (flow != Flow.Break && loop.MoveNext())
        {
            state.Budget.ChargeItems();
            if (scope.IsCaptured) scope = new Scope(outer);
            else scope.Reset(outer);
            scope.Set(loopName.Id, loopValue);
            target.Assign(state, scope, loop.Current);
            state.Scope = scope;
            flow = Run(state, Body);
            completed |= flow == Flow.Next;
        }
        state.ReturnScope(scope);
        state.Scope = outer;
        if (completed || Otherwise.Length == 0) return Flow.Next;
        state.EnterScope();
        flow = Run(state, Otherwise);
        state.LeaveScope();
        return flow;
    }

    private IEnumerable<Value> Filter(RenderState state, Scope outer, Value items)
    {
        // Not rented: the loop may be left before the last item.
        var scope = new Scope(outer);
        foreach (Value item in Sequences.Enumerate(items))
        {
            state.Budget.ChargeItems();
            Scope current = state.Scope;
            target.Assign(state, scope, item);
            state.Scope = scope;
            bool passes = Condition!.Evaluate(state).IsTrue;
            state.Scope = current;
            if (passes) yield return item;
        }
    }

    /// <summary>The loop once more, as a statement whose output can be captured.</summary>
    private sealed class NestedRun(ForStatement loop, Scope outer, Value items, int depth0) : Statement(loop.Line)
    {
        public override Flow Execute(RenderState state)
        {
            state.Scope = outer;
            return loop.RunLoop(state, outer, items, depth0);
        }
    }
}
