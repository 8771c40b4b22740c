using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Inference.Models.Templates;

/// <summary>JSON as values of the template language. All text in it counts as the user's but for names that only steer the template; see <see cref="Variable(string, JsonElement)"/>.</summary>
internal static class JsonValues
{
    /// <summary>
    /// A variable of the template. The roles of <c>messages</c> count as the template's own where they are plain words, since templates make markers of them
    /// (<c>'&lt;|' + message.role + '|&gt;'</c>); so do variables such as <c>bos_token</c>.
    /// </summary>
    public static Value Variable(string name, JsonElement json)
    {
        if (name == "messages" && json.ValueKind == JsonValueKind.Array) return Value.List([.. json.EnumerateArray().Select(message => Of(message, isMessage: true))]);
        return json.ValueKind == JsonValueKind.String && name.EndsWith("_token", StringComparison.Ordinal) ? Value.Of(Text(json)) : Of(json, isMessage: false);
    }

    /// <inheritdoc cref="Variable(string, JsonElement)"/>
    public static Value Variable(string name, JsonNode? json)
    {
        // Serialising keeps whatever a node was made of, be it parsed or built from .NET values.
        using JsonDocument? document = json is null ? null : JsonDocument.Parse(json.ToJsonString(), new JsonDocumentOptions { MaxDepth = 256 });
        return document is null ? Value.None : Variable(name, document.RootElement);
    }

    /// <summary>A role: a plain word is the template's own text.</summary>
    public static Value Role(string role) => role.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-') ? Value.Of(role) : Value.OfUser(role);

    private static Value Of(JsonElement json, bool isMessage)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.String: return Value.OfUser(Text(json));
            case JsonValueKind.Number: return Number(json);
            case JsonValueKind.True: return Value.True;
            case JsonValueKind.False: return Value.False;
            case JsonValueKind.Array: return Value.List([.. json.EnumerateArray().Select(item => Of(item, isMessage: false))]);
            case JsonValueKind.Object:
                var dict = new DictValue();
                foreach (JsonProperty member in json.EnumerateObject())
                {
                    string name = Name(member);
                    Value key = Value.OfUser(name);
                    dict.Set(key, isMessage && name == "role" && member.Value.ValueKind == JsonValueKind.String ? Role(Text(member.Value)) : Of(member.Value, isMessage: false));
                }
                return Value.Dict(dict);
            default: return Value.None;
        }
    }

    private static Value Number(JsonElement json)
    {
        string text = json.GetRawText();
        return text.AsSpan().ContainsAny(".eE") ? Value.Of(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture))
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? Value.Of(number)
            : text.Length <= 1000 ? Value.Of(BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture))
            : throw new TemplateException("a number has more than 1,000 digits");
    }

    private static string Name(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException e)
        {
            throw NotUnicode(e);
        }
    }

    private static string Text(JsonElement json)
    {
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw NotUnicode(e);
        }
    }

    private static TemplateException NotUnicode(Exception inner) => new("a JSON string has half of a surrogate pair", innerException: inner);
}
