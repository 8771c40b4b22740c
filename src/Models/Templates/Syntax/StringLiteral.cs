using System.Globalization;
using System.Text;

namespace Inference.Models.Templates;

/// <summary>The escapes of a string literal, which are Python's but for named characters.</summary>
internal static class StringLiteral
{
    /// <param name="text">What stands between the quotes.</param>
    /// <param name="line">For messages.</param>
    public static string Unescape(string text, int line)
    {
        if (!text.Contains('\\')) return text;
        var builder = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                builder.Append(text[i]);
                continue;
            }
            char letter = text[++i];
            switch (letter)
            {
                case '\n': break;
                case '\\' or '\'' or '"': builder.Append(letter); break;
                case 'a': builder.Append('\a'); break;
                case 'b': builder.Append('\b'); break;
                case 'f': builder.Append('\f'); break;
                case 'n': builder.Append('\n'); break;
                case 'r': builder.Append('\r'); break;
                case 't': builder.Append('\t'); break;
                case 'v': builder.Append('\v'); break;
                case >= '0' and <= '7':
                    int value = 0, digits = 0;
                    for (; digits < 3 && i + digits < text.Length && text[i + digits] is >= '0' and <= '7'; digits++) value = value * 8 + (text[i + digits] - '0');
                    builder.Append((char)value);
                    i += digits - 1;
                    break;
                case 'x' or 'u' or 'U':
                    int length = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
                    if (i + length >= text.Length || !uint.TryParse(text.AsSpan(i + 1, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint code) || code > 0x10FFFF)
                        throw new TemplateException($"'\\{letter}' needs {length} hexadecimal digits of a character", line);
                    if (code <= 0xFFFF) builder.Append((char)code);
                    else builder.Append(char.ConvertFromUtf32((int)code));
                    i += length;
                    break;
                case 'N':
                    throw new TemplateException("characters by name ('\\N') are not supported", line);
                default:
                    builder.Append('\\').Append(letter);
                    break;
            }
        }
        return builder.ToString();
    }
}
