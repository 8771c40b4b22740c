using System.Text.Json;

namespace Inference.Models;

/// <summary>A value inside a JSON file together with its place, so that every error says where it is.</summary>
/// <param name="File">Path of the file.</param>
/// <param name="Path">Where in the file, such as <c>pre_tokenizer.pretokenizers[1].pattern</c>.</param>
/// <param name="Value">The value; undefined where the file has none.</param>
internal readonly record struct JsonPart(string File, string Path, JsonElement Value)
{
    /// <summary>Whether the file has it, and not as null.</summary>
    public bool Exists => Value.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    /// <summary>A member of this object; one that does not exist when the object lacks it.</summary>
    public JsonPart this[string name]
    {
        get
        {
            if (Value.ValueKind != JsonValueKind.Object) throw Error("an object");
            string path = Path.Length == 0 ? name : $"{Path}.{name}";
            try
            {
                return new JsonPart(File, path, Value.TryGetProperty(name, out JsonElement member) ? member : default);
            }
            catch (InvalidOperationException)
            {
                // The search compares with every name, and one of them cannot be read.
                throw NamesError();
            }
        }
    }

    /// <summary>The elements of this array.</summary>
    public IEnumerable<JsonPart> Elements()
    {
        if (Value.ValueKind != JsonValueKind.Array) throw Error("an array");
        string file = File, path = Path;
        return Value.EnumerateArray().Select((element, index) => new JsonPart(file, $"{path}[{index}]", element));
    }

    /// <summary>The members of this object.</summary>
    public IEnumerable<(string Name, JsonPart Member)> Members()
    {
        if (Value.ValueKind != JsonValueKind.Object) throw Error("an object");
        JsonPart self = this;
        return Value.EnumerateObject().Select(member => (self.NameOf(member), new JsonPart(self.File, $"{self.Path}.{self.NameOf(member)}", member.Value)));
    }

    public string Text()
    {
        if (Value.ValueKind != JsonValueKind.String) throw Error("a string");
        try
        {
            return Value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new ModelFormatException(File, Path, "a string of well-formed Unicode", "half a surrogate pair");
        }
    }

    public int Integer() => Value.ValueKind == JsonValueKind.Number && Value.TryGetInt32(out int value) ? value : throw Error("an integer of 32 bits");

    public double Number() => Value.ValueKind == JsonValueKind.Number && Value.TryGetDouble(out double value) && double.IsFinite(value) ? value : throw Error("a number");

    public bool Flag() => Value.ValueKind is JsonValueKind.True or JsonValueKind.False ? Value.GetBoolean() : throw Error("true or false");

    public string? TextOrNull() => Exists ? Text() : null;

    public int IntegerOr(int missing) => Exists ? Integer() : missing;

    public bool FlagOr(bool missing) => Exists ? Flag() : missing;

    /// <summary>The one character of a string.</summary>
    public char Character() => Text() is [var character] ? character : throw Error("a string of one character");

    public ModelFormatException Error(string expected) => new(File, Path, expected, Describe());

    private string Describe() => Value.ValueKind switch
    {
        JsonValueKind.Undefined => "no such key",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        _ => Value.GetRawText() is { Length: > 80 } text ? text[..80] + "..." : Value.GetRawText(),
    };

    private string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            throw NamesError();
        }
    }

    private ModelFormatException NamesError() => new(File, Path.Length == 0 ? "file" : Path, "names of well-formed Unicode", "half a surrogate pair");
}
