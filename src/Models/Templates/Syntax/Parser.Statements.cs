namespace Inference.Models.Templates;

/// <content>Text, output and tags.</content>
internal sealed partial class Parser
{
    /// <summary>Loops around the current statement, within the current macro.</summary>
    private int loops;

    /// <summary>Statements up to a tag with one of the names, which is left, or to the end of the template.</summary>
    private Statement[] ParseBody(params string[] ends)
    {
        Enter();
        var body = new List<Statement>();
        var output = new List<Expression>();
        int line = Current.Line;
        while (Current.Kind != TokenKind.End)
        {
            Token token = Next();
            if (token.Kind == TokenKind.Data)
            {
                output.Add(new ConstantExpression(token.Line, Value.Of(token.Text)));
            }
            else if (token.Kind == TokenKind.OutputBegin)
            {
                output.Add(ParseTuple());
                Expect(TokenKind.OutputEnd, "'}}'");
            }
            else
            {
                Flush();
                if (Current.Kind != TokenKind.Name) throw Unexpected("the name of a tag");
                if (ends.Contains(Current.Text)) break;
                body.Add(ParseStatement());
                Expect(TokenKind.TagEnd, "'%}'");
            }
        }
        Flush();
        Leave();
        return [.. body];

        void Flush()
        {
            if (output.Count > 0) body.Add(new OutputStatement(output[0].Line, [.. output]));
            output.Clear();
        }
    }

    /// <summary>The body of a tag, from its end to one of the closing tags, whose name is read.</summary>
    private Statement[] ParseBlock(out string end, params string[] ends)
    {
        int line = Current.Line;
        // Python's colon is allowed.
        Skip(":");
        Expect(TokenKind.TagEnd, "'%}'");
        Statement[] body = ParseBody(ends);
        if (Current.Kind == TokenKind.End) throw new TemplateException($"expected '{string.Join("' or '", ends)}', found the end of the template", line);
        end = Next().Text;
        return body;
    }

    private Statement[] ParseBlock(string end) => ParseBlock(out _, end);

    private Statement ParseStatement()
    {
        Token tag = Next();
        int line = tag.Line;
        switch (tag.Text)
        {
            case "if": return ParseIf(line);
            case "for": return ParseFor(line);
            case "set": return ParseSet(line);
            case "macro": return ParseMacro(line);
            case "call": return ParseCall(line);
            case "with": return ParseWith(line);
            case "print": return ParsePrint(line);
            case "filter":
                Expression filter = ParseFilterChain(new CapturedExpression(line));
                return new CaptureStatement(line, null, filter, ParseBlock("endfilter"));
            case "break" or "continue" when loops > 0:
                return new JumpStatement(line, tag.Text == "break" ? Flow.Break : Flow.Continue);
            case "break" or "continue":
                throw new TemplateException($"'{tag.Text}' is outside of a loop", line);
            case "generation":
                return ParseScope(line, "endgeneration", fromRoot: false);
            case "autoescape":
                ParseExpression();
                return ParseScope(line, "endautoescape", fromRoot: false);
            case "block": return ParseNamedBlock(line);
            case "include" or "import" or "from" or "extends":
                while (Current.Kind is not (TokenKind.TagEnd or TokenKind.End)) Next();
                return new UnavailableStatement(line, tag.Text);
            default:
                throw new TemplateException($"there is no tag '{tag.Text}', or it is out of place", line);
        }
    }

    private OutputStatement ParsePrint(int line)
    {
        var parts = new List<Expression>();
        while (Current.Kind != TokenKind.TagEnd)
        {
            if (parts.Count > 0) Expect(",");
            parts.Add(ParseExpression());
        }
        return new OutputStatement(line, [.. parts]);
    }

    private IfStatement ParseIf(int line)
    {
        var branches = new List<(Expression, Statement[])>();
        Statement[] otherwise = [];
        string end;
        do
        {
            Expression condition = ParseTuple(withCondition: false);
            branches.Add((condition, ParseBlock(out end, "elif", "else", "endif")));
        }
        while (end == "elif");
        if (end == "else") otherwise = ParseBlock("endif");
        return new IfStatement(line, [.. branches], otherwise);
    }

    private ForStatement ParseFor(int line)
    {
        Target target = ParseTarget(endName: "in", withAttributes: false);
        ExpectName("in");
        Expression items = ParseTuple(withCondition: false, endName: "recursive");
        Expression? condition = SkipName("if") ? ParseExpression() : null;
        bool recursive = SkipName("recursive");
        loops++;
        Statement[] body = ParseBlock(out string end, "endfor", "else");
        loops--;
        Statement[] otherwise = end == "else" ? ParseBlock("endfor") : [];
        return new ForStatement(line, target, items, Identify("loop")) { Condition = condition, IsRecursive = recursive, Body = body, Otherwise = otherwise };
    }

    private Statement ParseSet(int line)
    {
        Target target = ParseTarget(endName: null, withAttributes: true);
        if (Skip("=")) return new SetStatement(line, target, ParseTuple());
        Expression? filter = Current.IsOperator("|") ? ParseFilterChain(null) : null;
        return new CaptureStatement(line, target, filter, ParseBlock("endset"));
    }

    /// <summary>Filters over what a block wrote; the first follows a bar unless an operand is given.</summary>
    private FilterExpression ParseFilterChain(Expression? operand)
    {
        int line = Current.Line;
        FilterExpression filter;
        if (operand is null)
        {
            filter = ParseFilter(new CapturedExpression(line));
        }
        else
        {
            string name = ParseDottedName();
            filter = new FilterExpression(line, operand, name, Current.IsOperator("(") ? ParseArguments() : ArgumentList.Empty);
        }
        while (Current.IsOperator("|")) filter = ParseFilter(filter);
        return filter;
    }

    private ScopeStatement ParseWith(int line)
    {
        var variables = new List<(Target, Expression)>();
        while (Current.Kind != TokenKind.TagEnd)
        {
            if (variables.Count > 0) Expect(",");
            Target target = ParseTarget(endName: null, withAttributes: false);
            Expect("=");
            variables.Add((target, ParseExpression()));
        }
        return new ScopeStatement(line, [.. variables], ParseBlock("endwith"));
    }

    private ScopeStatement ParseScope(int line, string end, bool fromRoot) => new(line, [], ParseBlock(end), fromRoot);

    private ScopeStatement ParseNamedBlock(int line)
    {
        string name = Expect(TokenKind.Name, "the block's name").Text;
        bool scoped = SkipName("scoped");
        SkipName("required");
        int outer = loops;
        loops = 0;
        // A block that is not scoped sees the variables of the whole template only.
        ScopeStatement block = ParseScope(line, "endblock", fromRoot: !scoped);
        loops = outer;
        SkipName(name);
        return block;
    }
}
