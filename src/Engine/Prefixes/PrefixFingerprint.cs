using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Inference.Kernels;
using Inference.Models;

namespace Inference;

/// <summary>Everything that must be the same for saved keys and values to be those that the engine would compute, as named values.</summary>
internal sealed class PrefixFingerprint(IReadOnlyList<(string Name, string Value)> values)
{
    /// <summary>In the order in which they are compared: what a person would look at first comes first.</summary>
    public IReadOnlyList<(string Name, string Value)> Values { get; } = values;

    public static PrefixFingerprint Of(string path, LoadedModel model, KernelSet kernels, KvLayout layout, bool exact) => new(
    [
        ("model", $"{model.Name.ReplaceLineEndings(" ")} {Content(path)}"),
        ("key type", layout.KeyType.ToString()),
        ("value type", layout.ValueType.ToString()),
        ("block size", layout.BlockSize.ToString(CultureInfo.InvariantCulture)),
        ("layout", $"{layout.Layers} layers of {layout.KvHeads} heads of {layout.KeyDim} and {layout.ValueDim}"),
        ("device", kernels.Path),
        ("arithmetic", exact ? "exact" : "packed"),
        ("kernel revision", KernelSet.Revision.ToString(CultureInfo.InvariantCulture)),
    ]);

    /// <summary>
    /// Hash of a model's files: their names, their lengths, and 64 pieces of each. Reading all of a large model would take longer than to compute most prompts, and other weights differ everywhere.
    /// </summary>
    private static string Content(string path)
    {
        string[] files = Directory.Exists(path) ? [.. Directory.GetFiles(path).Order(StringComparer.Ordinal)] : [path];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        const int pieces = 64, pieceBytes = 4096;
        var piece = new byte[pieceBytes];
        foreach (string file in files)
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            hash.AppendData(Encoding.UTF8.GetBytes($"{Path.GetFileName(file)} {stream.Length}\n"));
            for (int i = 0; i < pieces; i++)
            {
                stream.Position = Math.Max(0, stream.Length - pieceBytes) / (pieces - 1) * i;
                hash.AppendData(piece, 0, stream.ReadAtLeast(piece, pieceBytes, throwOnEndOfStream: false));
            }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 12));
    }
}
