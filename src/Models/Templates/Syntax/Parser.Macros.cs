namespace Inference.Models.Templates;

/// <content>Macros, and the targets of assignments.</content>
internal sealed partial class Parser
{
    /// <summary>The macros around the current expression, innermost last; they learn which special names their bodies use.</summary>
    private readonly Stack<MacroDefinition> macros = new();

    private NameExpression ReadName(Token token)
    {
        Identifier name = Identify(token.Text);
        if (macros.TryPeek(out MacroDefinition? macro))
        {
            if (name.Text == "caller") macro.Caller = name;
            else if (name.Text == "varargs") macro.Rest = name;
            else if (name.Text == "kwargs") macro.Keywords = name;
        }
        return new NameExpression(token.Line, name);
    }

    private MacroStatement ParseMacro(int line)
    {
        string name = Expect(TokenKind.Name, "the macro's name").Text;
        if (!Current.IsOperator("(")) throw Unexpected("'('");
        MacroDefinition macro = ParseSignature(name);
        ParseMacroBody(macro, "endmacro");
        return new MacroStatement(line, Identify(name), macro);
    }

    private CallStatement ParseCall(int line)
    {
        MacroDefinition body = ParseSignature("caller");
        if (ParseExpression() is not CallExpression call) throw new TemplateException("expected a call of a macro", line);
        ParseMacroBody(body, "endcall");
        return new CallStatement(line, call, body);
    }

    /// <summary>Parameters in parentheses, or none.</summary>
    private MacroDefinition ParseSignature(string name)
    {
        List<Identifier> parameters = [];
        List<Expression> defaults = [];
        if (Skip("("))
        {
            while (!Skip(")"))
            {
                parameters.Add(Identify(Expect(TokenKind.Name, "a parameter").Text));
                if (Skip("=")) defaults.Add(ParseExpression());
                else if (defaults.Count > 0) throw new TemplateException("a parameter without a default follows one with a default", Current.Line);
                if (!Current.IsOperator(")")) Expect(",");
            }
        }
        int caller = parameters.FindIndex(parameter => parameter.Text == "caller");
        if (caller >= 0 && caller < parameters.Count - defaults.Count) throw new TemplateException("the parameter 'caller' needs a default", Current.Line);
        return new MacroDefinition { Name = name, Parameters = [.. parameters], Defaults = [.. defaults] };
    }

    private void ParseMacroBody(MacroDefinition macro, string end)
    {
        int outer = loops;
        loops = 0;
        macros.Push(macro);
        macro.Body = ParseBlock(end);
        macros.Pop();
        loops = outer;
    }

    /// <summary>A name, a namespace's attribute, or several of them, perhaps in parentheses.</summary>
    private Target ParseTarget(string? endName, bool withAttributes)
    {
        var targets = new List<Target>();
        bool isTuple = false;
        do
        {
            if (targets.Count > 0 && (IsTupleEnd(endName) || Current.IsOperator("="))) break;
            targets.Add(ParseSingleTarget(withAttributes));
            if (Current.IsOperator(",")) isTuple = true;
        }
        while (Skip(","));
        return isTuple ? new TupleTarget([.. targets]) : targets[0];
    }

    private Target ParseSingleTarget(bool withAttributes)
    {
        if (Skip("("))
        {
            Enter();
            Target inner = ParseTarget(endName: null, withAttributes: false);
            Leave();
            Expect(")");
            return inner;
        }
        Token token = Expect(TokenKind.Name, "a variable");
        if (token.Text is "true" or "True" or "false" or "False" or "none" or "None") throw new TemplateException($"'{token.Text}' cannot be assigned", token.Line);
        if (withAttributes && Skip(".")) return new NamespaceTarget(Identify(token.Text), Expect(TokenKind.Name, "an attribute").Text);
        if (token.Text == "loop" && (loops > 0 || !withAttributes)) throw new TemplateException("'loop' cannot be assigned in a loop", token.Line);
        return new NameTarget(Identify(token.Text));
    }
}
