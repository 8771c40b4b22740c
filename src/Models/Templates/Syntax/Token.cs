namespace Inference.Models.Templates;

/// <summary>What a piece of a template is.</summary>
internal enum TokenKind
{
    /// <summary>Text between tags, its white space already trimmed.</summary>
    Data,

    /// <summary><c>{{</c></summary>
    OutputBegin,

    /// <summary><c>}}</c></summary>
    OutputEnd,

    /// <summary><c>{%</c></summary>
    TagBegin,

    /// <summary><c>%}</c></summary>
    TagEnd,

    Name,
    Text,
    Number,
    Operator,

    /// <summary>The end of the template.</summary>
    End,
}

/// <summary>A piece of a template.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its characters; of a string literal the content with escapes resolved.</param>
/// <param name="Line">Line where it begins, from 1.</param>
/// <param name="Value">Of a number.</param>
// A class, since .NET has compiled lists of references beforehand and would compile lists of a struct when the first template is read.
internal sealed record Token(TokenKind Kind, string Text, int Line, Value Value = default)
{
    public bool IsOperator(string text) => Kind == TokenKind.Operator && Text == text;

    public bool IsName(string text) => Kind == TokenKind.Name && Text == text;

    /// <summary>For messages.</summary>
    public string Description => Kind switch
    {
        TokenKind.Data => "text",
        TokenKind.OutputBegin => "'{{'",
        TokenKind.OutputEnd => "'}}'",
        TokenKind.TagBegin => "'{%'",
        TokenKind.TagEnd => "'%}'",
        TokenKind.End => "the end of the template",
        TokenKind.Text => "a string",
        _ => $"'{Text}'",
    };
}
