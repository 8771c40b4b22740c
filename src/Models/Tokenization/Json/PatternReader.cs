namespace Inference.Models;

/// <summary>Reads <c>{"Regex": …}</c> and <c>{"String": …}</c>.</summary>
internal static class PatternReader
{
    public static TextPattern Read(JsonPart part)
    {
        if (part.Value.ValueKind == System.Text.Json.JsonValueKind.String) return Literal(part);
        JsonPart regex = part["Regex"];
        if (!regex.Exists) return Literal(part["String"]);
        try
        {
            return TextPattern.Parse(regex.Text());
        }
        catch (FormatException exception)
        {
            throw new ModelFormatException(regex.File, regex.Path, "a pattern of characters, classes, groups, repetitions and look-arounds", $"{exception.Message} in {regex.Text()}");
        }
    }

    private static TextPattern Literal(JsonPart part) => part.Text() is { Length: > 0 } text ? TextPattern.Literal(text) : throw part.Error("a text that is not empty");
}
