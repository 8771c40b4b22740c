namespace Inference.Models;

/// <summary>What a token is; the numbers are those of <c>tokenizer.ggml.token_type</c>.</summary>
internal enum TokenType
{
    /// <summary>Not said (0): taken as <see cref="Normal"/>.</summary>
    Undefined = 0,

    /// <summary>A piece of text.</summary>
    Normal = 1,

    /// <summary>Stands for what the vocabulary cannot spell.</summary>
    Unknown = 2,

    /// <summary>Steers the model (begin, end, role); it has a spelling but is no text.</summary>
    Control = 3,

    /// <summary>Text that is always one token, such as <c>&lt;think&gt;</c>.</summary>
    UserDefined = 4,

    /// <summary>A row of the embedding table without a meaning.</summary>
    Unused = 5,

    /// <summary>One byte, spelled <c>&lt;0xNN&gt;</c>; SentencePiece falls back on these.</summary>
    Byte = 6,
}
