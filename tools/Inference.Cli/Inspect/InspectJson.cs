using Inference.Models;

namespace Inference.Cli;

/// <summary>What <c>inspect --json</c> prints.</summary>
internal static class InspectJson
{
    public static void Write(TextWriter output, Inspection model, bool tensors) => JsonText.Write(output, json =>
    {
        json.WriteString("path", model.Path);
        json.WriteString("format", model.Format);
        json.WriteNumber("file_bytes", model.FileBytes);
        json.WriteString("name", model.Name);
        json.WriteString("architecture", model.Architecture);
        json.WriteNumber("parameters", model.ParameterCount);
        json.WriteBoolean("supported", model.Refusal is null);
        json.WriteString("refusal", model.Refusal);
        json.WriteArray("tensor_types", model.Types, type =>
        {
            json.WriteStartObject();
            json.WriteString("type", type.Type);
            json.WriteNumber("tensors", type.Tensors);
            json.WriteNumber("bytes", type.Bytes);
            json.WriteEndObject();
        });
        json.WriteStartObject("metadata");
        foreach ((string key, string value) in model.Metadata) json.WriteString(key, value);
        json.WriteEndObject();
        if (!tensors) return;
        json.WriteArray("tensors", model.Tensors, tensor =>
        {
            json.WriteStartObject();
            json.WriteString("name", tensor.Name);
            json.WriteString("type", tensor.Type);
            json.WriteString("shape", tensor.Shape);
            json.WriteNumber("elements", tensor.Elements);
            json.WriteNumber("bytes", tensor.Bytes);
            json.WriteEndObject();
        });
    });
}
