using System.Text.Json;

namespace Inference.Models;

/// <summary>
/// The <c>model</c> of a tokenizer.json. Vocabulary and merges are most of the file (hundreds of thousands of entries), so they are read as a stream and never
/// become JSON objects.
/// </summary>
internal sealed class ModelSection
{
    private readonly string file;
    private readonly int most;
    private readonly Dictionary<string, JsonPart> options = new(StringComparer.Ordinal);
    private (int Start, int Length) merges;

    private ModelSection(string file, int most)
    {
        this.file = file;
        this.most = most;
    }

    /// <summary>Tokens by spelling, without those that are added.</summary>
    public Dictionary<string, int> Ids { get; private set; } = new(StringComparer.Ordinal);

    /// <summary>Of each token, by id (unigram).</summary>
    public List<double>? Scores { get; private set; }

    /// <summary>Whether there is a list of merges.</summary>
    public bool HasMerges => merges.Length > 0;

    /// <summary>An option of the model.</summary>
    public JsonPart this[string name] => options.TryGetValue(name, out JsonPart part) ? part : new JsonPart(file, $"model.{name}", default);

    /// <param name="file">Path, for messages.</param>
    /// <param name="most">Ids are below this.</param>
    /// <param name="reader">At the start of the object; then at its end.</param>
    public static ModelSection Read(string file, int most, ref Utf8JsonReader reader)
    {
        var section = new ModelSection(file, most);
        if (reader.TokenType != JsonTokenType.StartObject) throw section.Error("model", "an object", reader);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("vocab"u8))
            {
                reader.Read();
                section.ReadVocabulary(ref reader);
            }
            else if (reader.ValueTextEquals("merges"u8))
            {
                // They name tokens, which may come later in the file.
                reader.Read();
                int start = (int)reader.TokenStartIndex;
                if (reader.TokenType != JsonTokenType.StartArray) throw section.Error("model.merges", "an array", reader);
                reader.Skip();
                section.merges = (start, (int)reader.BytesConsumed - start);
            }
            else
            {
                string name = reader.GetString()!;
                reader.Read();
                section.options[name] = new JsonPart(file, $"model.{name}", JsonElement.ParseValue(ref reader));
            }
        }
        return section;
    }

    /// <summary>Adds the merges to a vocabulary.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="vocabulary">Where to.</param>
    public void ReadMerges(ReadOnlySpan<byte> bytes, BytePairVocabulary vocabulary)
    {
        var reader = new Utf8JsonReader(bytes.Slice(merges.Start, merges.Length));
        char[] left = new char[256], right = new char[256];
        reader.Read();
        for (int index = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; index++)
        {
            ReadOnlySpan<char> leftText, rightText;
            if (reader.TokenType == JsonTokenType.String)
            {
                int length = Copy(ref reader, ref left);
                ReadOnlySpan<char> both = left.AsSpan(0, length);
                int space = both.IndexOf(' ');
                if (space <= 0 || space == both.Length - 1 || both.LastIndexOf(' ') != space) throw new ModelFormatException(file, $"model.merges[{index}]", "two tokens with a space between", $"\"{both}\"");
                leftText = both[..space];
                rightText = both[(space + 1)..];
            }
            else
            {
                if (reader.TokenType != JsonTokenType.StartArray) throw Error($"model.merges[{index}]", "a string or two of them", reader);
                int leftLength = ReadPart(ref reader, ref left, index), rightLength = ReadPart(ref reader, ref right, index);
                leftText = left.AsSpan(0, leftLength);
                rightText = right.AsSpan(0, rightLength);
                if (!reader.Read() || reader.TokenType != JsonTokenType.EndArray) throw Error($"model.merges[{index}]", "two strings", reader);
            }
            if (vocabulary.TryAddMerge(leftText, rightText) is { } missing)
                throw new ModelFormatException(file, $"model.merges[{index}]", $"parts and whole in the vocabulary, which lacks \"{missing}\"", $"\"{leftText}\", \"{rightText}\"");
        }
    }

    private int ReadPart(ref Utf8JsonReader reader, ref char[] buffer, int index)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.String) throw Error($"model.merges[{index}]", "two strings", reader);
        return Copy(ref reader, ref buffer) is > 0 and var length ? length : throw new ModelFormatException(file, $"model.merges[{index}]", "two tokens", "an empty string");
    }

    private static int Copy(ref Utf8JsonReader reader, ref char[] buffer)
    {
        if (reader.ValueSpan.Length > buffer.Length) buffer = new char[reader.ValueSpan.Length * 2];
        return reader.CopyString(buffer);
    }

    private void ReadVocabulary(ref Utf8JsonReader reader)
    {
        // About ten bytes of file for a token.
        if (reader.TokenType == JsonTokenType.StartObject) ReadIds(ref reader);
        else if (reader.TokenType == JsonTokenType.StartArray) ReadScored(ref reader);
        else throw Error("model.vocab", "an object of ids or an array of scored tokens", reader);
    }

    private void ReadIds(ref Utf8JsonReader reader)
    {
        Ids = new Dictionary<string, int>(1 << 15, StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string token = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out int id) || id < 0 || id >= most) throw Error($"model.vocab[\"{token}\"]", $"an id below {most}", reader);
            Ids[token] = id;
        }
    }

    private void ReadScored(ref Utf8JsonReader reader)
    {
        Scores = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            string place = $"model.vocab[{Scores.Count}]";
            if (reader.TokenType != JsonTokenType.StartArray || !reader.Read() || reader.TokenType != JsonTokenType.String) throw Error(place, "a token and its score", reader);
            string token = reader.GetString()!;
            if (!reader.Read() || reader.TokenType != JsonTokenType.Number || !reader.TryGetDouble(out double score) || !double.IsFinite(score)) throw Error(place, "a finite score", reader);
            if (!reader.Read() || reader.TokenType != JsonTokenType.EndArray) throw Error(place, "a token and its score", reader);
            if (Scores.Count == most) throw new ModelFormatException(file, "model.vocab", $"at most {most} tokens", "more");
            // The last of equals: the reference lets later entries replace earlier ones.
            Ids[token] = Scores.Count;
            Scores.Add(score);
        }
    }

    private ModelFormatException Error(string key, string expected, in Utf8JsonReader reader) => new(file, key, expected, reader.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.None or JsonTokenType.EndArray or JsonTokenType.EndObject => "an end",
        _ => reader.ValueSpan.Length > 80 ? "a long value" : System.Text.Encoding.UTF8.GetString(reader.ValueSpan),
    });
}
