using System.Globalization;
using System.Text.Json;

namespace Inference.Compare;

/// <summary>What <c>inspect</c> says of a file.</summary>
/// <param name="Types">Each tensor type with its bytes.</param>
/// <param name="ReadBytes">Bytes of weights that a token reads.</param>
/// <param name="FileBytes">Size of the file.</param>
internal sealed record ModelFacts(TypeBytes[] Types, long ReadBytes, long FileBytes)
{
    public static ModelFacts Of(string model)
    {
        using JsonDocument document = JsonDocument.Parse(Programs.Run(Programs.Inference, "inspect", model, "--json", "--tensors"));
        JsonElement root = document.RootElement;
        TypeBytes[] types = [.. root.GetProperty("tensor_types").EnumerateArray().Select(t => new TypeBytes(t.GetProperty("type").GetString()!, t.GetProperty("bytes").GetInt64()))];
        Dictionary<string, long> tensors = root.GetProperty("tensors").EnumerateArray().ToDictionary(t => t.GetProperty("name").GetString()!, t => t.GetProperty("bytes").GetInt64());
        // A token reads one row of an embedding that is not the head too.
        long total = types.Sum(t => t.Bytes), read = tensors.ContainsKey("output.weight") ? total - tensors["token_embd.weight"] : total;
        return new ModelFacts(types, read, root.GetProperty("file_bytes").GetInt64());
    }

    /// <summary>The types with their shares; those under 0.5 % are left out.</summary>
    public static string Describe(TypeBytes[] types)
    {
        long total = types.Sum(t => t.Bytes);
        return string.Join(", ", types.Where(t => t.Bytes * 200 > total).Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Type} {100.0 * t.Bytes / total:F0} %")));
    }
}

/// <summary>Bytes of a file's tensors of one type.</summary>
internal sealed record TypeBytes(string Type, long Bytes);
