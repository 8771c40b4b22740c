using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Inference.Cli;

/// <summary>A conversation in a file: <c>{"model": …, "messages": [{"role": …, "content": …}, …]}</c>, messages in the form of the OpenAI API.</summary>
internal static class ChatFile
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the file as a whole or not at all: what stood there stays until the new one is complete on the disk.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Save(string path, string model, IEnumerable<ChatMessage> messages)
    {
        var root = new JsonObject { ["model"] = model, ["messages"] = new JsonArray([.. messages.Select(Write)]) };
        byte[] content = Encoding.UTF8.GetBytes(root.ToJsonString(Readable) + "\n");
        string full = Path.GetFullPath(path), partial = $"{full}.{Environment.ProcessId}.partial";
        if (Directory.Exists(full)) throw new IOException($"{path}: is a folder");
        try
        {
            using (var stream = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }
            File.Move(partial, full, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="InferenceException">It is no conversation; names file, key, expected and found.</exception>
    public static List<ChatMessage> Load(string path)
    {
        string text = InputFile.ReadText(path);
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement messages = document.RootElement;
            if (messages.ValueKind == JsonValueKind.Object && !messages.TryGetProperty("messages", out messages)) throw Error(path, "messages", "an array", "no such key");
            if (messages.ValueKind != JsonValueKind.Array) throw Error(path, "messages", "an array", Kind(messages));
            return [.. messages.EnumerateArray().Select((message, index) => Read(path, $"messages[{index}]", message))];
        }
        catch (JsonException e)
        {
            throw new InferenceException($"{path}: no JSON: {e.Message}", e);
        }
    }

    private static JsonObject Write(ChatMessage message)
    {
        var json = new JsonObject { ["role"] = message.Role, ["content"] = message.Content };
        if (message.ReasoningContent is { } reasoning) json["reasoning_content"] = reasoning;
        if (message.ToolCalls is { } calls) json["tool_calls"] = calls.DeepClone();
        if (message.ToolCallId is { } id) json["tool_call_id"] = id;
        if (message.Name is { } name) json["name"] = name;
        return json;
    }

    private static ChatMessage Read(string path, string key, JsonElement message)
    {
        if (message.ValueKind != JsonValueKind.Object) throw Error(path, key, "an object", Kind(message));
        if (Text("role") is not { Length: > 0 } role) throw Error(path, key + ".role", "a string that is not empty", "none");
        return new ChatMessage(role, Text("content"))
        {
            ReasoningContent = Text("reasoning_content"),
            ToolCalls = message.TryGetProperty("tool_calls", out JsonElement calls) && calls.ValueKind != JsonValueKind.Null ? JsonNode.Parse(calls.GetRawText()) : null,
            ToolCallId = Text("tool_call_id"),
            Name = Text("name"),
        };

        string? Text(string name)
        {
            if (!message.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null) return null;
            return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Error(path, $"{key}.{name}", "a string", Kind(value));
        }
    }

    private static string Kind(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Null => "null",
        JsonValueKind.Object or JsonValueKind.Array => "an " + element.ValueKind.ToString().ToLowerInvariant(),
        _ => "a " + element.ValueKind.ToString().ToLowerInvariant(),
    };

    private static InferenceException Error(string path, string key, string expected, string found) => new($"{path}: {key}: expected {expected}, found {found}");
}
