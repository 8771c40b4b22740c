using System.Text;

namespace Inference.Models;

/// <summary>Bytes of each token of a GGUF vocabulary.</summary>
internal sealed class TokenSpelling(string[] tokens, TokenType[] types)
{
    /// <summary>Text is spelled in <see cref="ByteAlphabet"/>.</summary>
    public bool ByteLevel { get; init; }

    /// <summary>Stands for a space.</summary>
    public char Space { get; init; } = ' ';

    public TokenByteTable MakeTable()
    {
        var table = new TokenByteTable(tokens.Length);
        byte[] bytes = new byte[tokens.Max(token => token.Length)];
        for (int id = 0; id < tokens.Length; id++)
        {
            string token = tokens[id];
            // Special tokens are spelled as they are.
            bool isSpecial = types[id] is TokenType.Control or TokenType.UserDefined or TokenType.Unknown;
            if (types[id] == TokenType.Unused) table.Add(ReadOnlySpan<byte>.Empty);
            else if (types[id] == TokenType.Byte && ByteFallback.TryParse(token, out byte value)) table.Add([value]);
            else if (ByteLevel && !isSpecial && ByteAlphabet.TryRead(token, bytes)) table.Add(bytes.AsSpan(0, token.Length));
            else table.Add(ByteLevel ? token : token.Replace(Space, ' '));
        }
        return table;
    }
}
