namespace Inference.Models.Templates;

/// <content>What follows an operand: attributes, items, calls, filters and tests.</content>
internal sealed partial class Parser
{
    private Expression ParsePostfix(Expression operand)
    {
        while (Current.Kind == TokenKind.Operator)
        {
            if (Current.Text == ".") operand = ParseAttribute(operand);
            else if (Current.Text == "[") operand = ParseItem(operand);
            else if (Current.Text == "(") operand = new CallExpression(Current.Line, operand, ParseArguments());
            else break;
        }
        return operand;
    }

    private Expression ParseFilters(Expression operand)
    {
        while (true)
        {
            if (Current.IsOperator("|")) operand = ParseFilter(operand);
            else if (Current.IsName("is")) operand = ParseTest(operand);
            else if (Current.IsOperator("(")) operand = new CallExpression(Current.Line, operand, ParseArguments());
            else return operand;
        }
    }

    private Expression ParseAttribute(Expression owner)
    {
        int line = Next().Line;
        Token name = Next();
        return name.Kind switch
        {
            TokenKind.Name => new AttributeExpression(line, owner, name.Text),
            TokenKind.Number when name.Value.Kind == ValueKind.Integer => new ItemExpression(line, owner, new ConstantExpression(line, name.Value)),
            _ => throw new TemplateException($"expected a name or a position, found {name.Description}", name.Line),
        };
    }

    private Expression ParseItem(Expression owner)
    {
        int line = Next().Line;
        if (Current.IsOperator(":")) return ParseSlice(line, owner, null);
        Expression first = ParseExpression();
        if (Current.IsOperator(":")) return ParseSlice(line, owner, first);
        if (!Current.IsOperator(",")) Expect("]");
        else
        {
            Next();
            first = new TupleExpression(line, [first, .. ParseItems("]")]);
        }
        return new ItemExpression(line, owner, first);
    }

    private SliceExpression ParseSlice(int line, Expression owner, Expression? start)
    {
        Expect(":");
        Expression? stop = IsSliceEnd() ? null : ParseExpression();
        Expression? step = Skip(":") && !IsSliceEnd() ? ParseExpression() : null;
        Expect("]");
        return new SliceExpression(line, owner, start, stop, step);
    }

    private bool IsSliceEnd() => Current.IsOperator(":") || Current.IsOperator("]");

    private ArgumentList ParseArguments()
    {
        int line = Current.Line;
        Expect("(");
        List<Expression> positional = [], named = [];
        List<string> names = [];
        Expression? rest = null, keywords = null;
        while (!Skip(")"))
        {
            if (Skip("*"))
            {
                Check(rest is null && keywords is null);
                rest = ParseExpression();
            }
            else if (Skip("**"))
            {
                Check(keywords is null);
                keywords = ParseExpression();
            }
            else if (Current.Kind == TokenKind.Name && Peek.IsOperator("="))
            {
                Check(keywords is null);
                names.Add(Next().Text);
                Next();
                named.Add(ParseExpression());
            }
            else
            {
                Check(rest is null && keywords is null && names.Count == 0);
                positional.Add(ParseExpression());
            }
            if (!Skip(",") && !Current.IsOperator(")")) throw Unexpected("',' or ')'");
        }
        return positional.Count + names.Count == 0 && rest is null && keywords is null ? ArgumentList.Empty
            : new ArgumentList { Positional = [.. positional], Names = [.. names], Named = [.. named], Rest = rest, Keywords = keywords };

        void Check(bool inOrder)
        {
            if (!inOrder) throw new TemplateException("arguments by position come first, then those by name, then '**'", line);
        }
    }

    private FilterExpression ParseFilter(Expression operand)
    {
        Expect("|");
        int line = Current.Line;
        string name = ParseDottedName();
        return new FilterExpression(line, operand, name, Current.IsOperator("(") ? ParseArguments() : ArgumentList.Empty);
    }

    private Expression ParseTest(Expression operand)
    {
        int line = Next().Line;
        bool negated = SkipName("not");
        string name = ParseDottedName();
        ArgumentList arguments = ArgumentList.Empty;
        if (Current.IsOperator("("))
        {
            arguments = ParseArguments();
        }
        else if (BeginsArgument())
        {
            // One argument may stand without parentheses: x is divisibleby 3.
            if (Current.IsName("is")) throw new TemplateException("tests cannot follow one another", Current.Line);
            arguments = new ArgumentList { Positional = [ParsePostfix(ParsePrimary())] };
        }
        Expression test = new TestExpression(line, operand, name, arguments);
        return negated ? new NotExpression(line, test) : test;
    }

    private bool BeginsArgument() => Current.Kind switch
    {
        TokenKind.Name => Current.Text is not ("else" or "or" or "and"),
        TokenKind.Text or TokenKind.Number => true,
        TokenKind.Operator => Current.Text is "[" or "{",
        _ => false,
    };

    private string ParseDottedName()
    {
        string name = Expect(TokenKind.Name, "a name").Text;
        while (Skip(".")) name += "." + Expect(TokenKind.Name, "a name").Text;
        return name;
    }
}
