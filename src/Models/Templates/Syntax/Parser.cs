namespace Inference.Models.Templates;

/// <summary>Makes nodes of tokens. Recursive descent, one method per rule of the grammar, in the order of Jinja's precedences.</summary>
internal sealed partial class Parser
{
    /// <summary>Expressions and blocks inside one another. Python itself stops at 100 blocks and 200 brackets.</summary>
    private const int MaxDepth = 200;

    private readonly List<Token> tokens;
    private readonly Dictionary<string, int> names = new(StringComparer.Ordinal);
    private int at;
    private int depth;

    private Parser(List<Token> tokens) => this.tokens = tokens;

    /// <summary>Parses a template.</summary>
    /// <param name="source">Its text.</param>
    /// <param name="names">The number of each name that occurs.</param>
    /// <exception cref="TemplateException">It is malformed; names the line.</exception>
    public static Statement[] Parse(string source, out Dictionary<string, int> names)
    {
        var parser = new Parser(Lexer.Tokenize(source));
        Statement[] body = parser.ParseBody();
        if (parser.Current.Kind != TokenKind.End) throw parser.Unexpected("a tag that is open here");
        names = parser.names;
        return body;
    }

    private Token Current => tokens[at];

    private Token Peek => tokens[Math.Min(at + 1, tokens.Count - 1)];

    private Identifier Identify(string name)
    {
        if (!names.TryGetValue(name, out int id)) names.Add(name, id = names.Count);
        return new Identifier(name, id);
    }

    private Token Next()
    {
        Token token = tokens[at];
        if (at < tokens.Count - 1) at++;
        return token;
    }

    private bool Skip(string operation)
    {
        bool found = Current.IsOperator(operation);
        if (found) Next();
        return found;
    }

    private bool SkipName(string name)
    {
        bool found = Current.IsName(name);
        if (found) Next();
        return found;
    }

    private void Expect(string operation)
    {
        if (!Skip(operation)) throw Unexpected($"'{operation}'");
    }

    private void ExpectName(string name)
    {
        if (!SkipName(name)) throw Unexpected($"'{name}'");
    }

    private Token Expect(TokenKind kind, string description) => Current.Kind == kind ? Next() : throw Unexpected(description);

    private TemplateException Unexpected(string expected) => new($"expected {expected}, found {Current.Description}", Current.Line);

    private void Enter()
    {
        if (++depth > MaxDepth) throw new TemplateException($"more than {MaxDepth} expressions or blocks inside one another", Current.Line);
    }

    private void Leave() => depth--;
}
