namespace Inference.Models.Templates;

/// <content>Expressions, from the loosest operator to the tightest.</content>
internal sealed partial class Parser
{
    private Expression ParseExpression(bool withCondition = true)
    {
        Enter();
        Expression expression = withCondition ? ParseConditional() : ParseOr();
        Leave();
        return expression;
    }

    private Expression ParseConditional()
    {
        int line = Current.Line;
        Expression value = ParseOr();
        while (SkipName("if"))
        {
            Expression condition = ParseOr();
            Expression? otherwise = null;
            if (SkipName("else"))
            {
                Enter();
                otherwise = ParseConditional();
                Leave();
            }
            value = new ConditionalExpression(line, condition, value, otherwise);
        }
        return value;
    }

    private Expression ParseOr()
    {
        Expression left = ParseAnd();
        while (Current.IsName("or"))
        {
            int line = Next().Line;
            left = new LogicalExpression(line, left, ParseAnd(), isOr: true);
        }
        return left;
    }

    private Expression ParseAnd()
    {
        Expression left = ParseNot();
        while (Current.IsName("and"))
        {
            int line = Next().Line;
            left = new LogicalExpression(line, left, ParseNot(), isOr: false);
        }
        return left;
    }

    private Expression ParseNot()
    {
        if (!Current.IsName("not")) return ParseComparison();
        int line = Next().Line;
        Enter();
        Expression operand = ParseNot();
        Leave();
        return new NotExpression(line, operand);
    }

    private Expression ParseComparison()
    {
        int line = Current.Line;
        Expression first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            string operation;
            if (Current.Kind == TokenKind.Operator && Current.Text is "==" or "!=" or "<" or "<=" or ">" or ">=") operation = Next().Text;
            else if (SkipName("in")) operation = "in";
            else if (Current.IsName("not") && Peek.IsName("in"))
            {
                Next();
                Next();
                operation = "not in";
            }
            else break;
            rest.Add((operation, ParseSum()));
        }
        return rest.Count == 0 ? first : new ComparisonExpression(line, first, [.. rest]);
    }

    private Expression ParseSum()
    {
        Expression left = ParseConcat();
        SumExpression? sum = null;
        while (Current.IsOperator("+") || Current.IsOperator("-"))
        {
            Token operation = Next();
            Expression right = ParseConcat();
            if (operation.Text == "-")
            {
                left = new BinaryExpression(operation.Line, "-", left, right);
                sum = null;
            }
            else if (sum is not null)
            {
                sum.Terms.Add(right);
            }
            else
            {
                left = sum = new SumExpression(operation.Line, [left, right]);
            }
        }
        return left;
    }

    private Expression ParseConcat()
    {
        int line = Current.Line;
        Expression first = ParseProduct();
        if (!Current.IsOperator("~")) return first;
        var parts = new List<Expression> { first };
        while (Skip("~")) parts.Add(ParseProduct());
        return new ConcatExpression(line, [.. parts]);
    }

    private Expression ParseProduct()
    {
        Expression left = ParsePower();
        while (Current.Kind == TokenKind.Operator && Current.Text is "*" or "/" or "//" or "%")
        {
            Token operation = Next();
            left = new BinaryExpression(operation.Line, operation.Text, left, ParsePower());
        }
        return left;
    }

    private Expression ParsePower()
    {
        Expression left = ParseUnary();
        while (Current.IsOperator("**"))
        {
            int line = Next().Line;
            left = new BinaryExpression(line, "**", left, ParseUnary());
        }
        return left;
    }

    /// <summary>A sign binds looser than <c>.</c> and <c>[]</c>, but filters apply to the signed value.</summary>
    private Expression ParseUnary(bool withFilters = true)
    {
        Expression operand;
        if (Current.IsOperator("-") || Current.IsOperator("+"))
        {
            Token sign = Next();
            Enter();
            operand = new SignExpression(sign.Line, sign.Text == "-", ParseUnary(withFilters: false));
            Leave();
        }
        else
        {
            operand = ParsePrimary();
        }
        operand = ParsePostfix(operand);
        return withFilters ? ParseFilters(operand) : operand;
    }

    private Expression ParsePrimary()
    {
        Token token = Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                Next();
                return token.Text switch
                {
                    "true" or "True" => new ConstantExpression(token.Line, Value.True),
                    "false" or "False" => new ConstantExpression(token.Line, Value.False),
                    "none" or "None" => new ConstantExpression(token.Line, Value.None),
                    _ => ReadName(token),
                };
            case TokenKind.Text:
                Next();
                string text = token.Text;
                while (Current.Kind == TokenKind.Text) text += Next().Text;
                return new ConstantExpression(token.Line, Value.Of(text));
            case TokenKind.Number:
                Next();
                return new ConstantExpression(token.Line, token.Value);
            case TokenKind.Operator when token.Text == "(":
                Next();
                Expression inner = ParseTuple(inParentheses: true);
                Expect(")");
                return inner;
            case TokenKind.Operator when token.Text == "[":
                Next();
                return new ListExpression(token.Line, ParseItems("]"));
            case TokenKind.Operator when token.Text == "{":
                return ParseDict();
            default:
                throw Unexpected("an expression");
        }
    }

    /// <summary>One expression, or several with commas between, which make a tuple.</summary>
    private Expression ParseTuple(bool inParentheses = false, bool withCondition = true, string? endName = null)
    {
        Token first = Current;
        var items = new List<Expression>();
        bool isTuple = false;
        while (!IsTupleEnd(endName))
        {
            items.Add(ParseExpression(withCondition));
            if (!Skip(",")) break;
            isTuple = true;
        }
        if (!isTuple && items.Count == 1) return items[0];
        if (!isTuple && !inParentheses) throw Unexpected("an expression");
        return new TupleExpression(first.Line, [.. items]);
    }

    private bool IsTupleEnd(string? endName) => Current.Kind is TokenKind.OutputEnd or TokenKind.TagEnd || Current.IsOperator(")") || (endName is not null && Current.IsName(endName));

    /// <summary>Expressions up to a closing bracket, which is read too.</summary>
    private Expression[] ParseItems(string close)
    {
        var items = new List<Expression>();
        while (!Skip(close))
        {
            items.Add(ParseExpression());
            if (!Skip(",") && !Current.IsOperator(close)) throw Unexpected($"',' or '{close}'");
        }
        return [.. items];
    }

    private DictExpression ParseDict()
    {
        int line = Next().Line;
        List<Expression> keys = [], values = [];
        while (!Skip("}"))
        {
            keys.Add(ParseExpression());
            Expect(":");
            values.Add(ParseExpression());
            if (!Skip(",") && !Current.IsOperator("}")) throw Unexpected("',' or '}'");
        }
        return new DictExpression(line, [.. keys], [.. values]);
    }
}
