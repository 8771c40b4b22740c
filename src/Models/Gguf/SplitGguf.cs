using System.Diagnostics.CodeAnalysis;
using Inference.Kernels;
using Inference.Models.Templates;

namespace Inference.Models;

/// <summary>A model in several GGUF files: the first has the metadata, every one a share of the tensors.</summary>
internal sealed class SplitGguf : ModelFile
{
    private const string Number = "split.no", Count = "split.count", Total = "split.tensors.count";

    private readonly List<GgufFile> parts = [];

    private SplitGguf(string path, int count)
    {
        Path = path;
        SplitName name = SplitName.Parse(path) ?? throw new ModelFormatException(path, "file name", $"one that ends in -00001-of-{count:d5}.gguf, by which the other parts are found", System.IO.Path.GetFileName(path));
        if (name.Count != count) throw new ModelFormatException(path, Count, $"{name.Count}, as the file's name says", $"{count}");
        string[] missing = [.. Enumerable.Range(1, count).Select(name.Part).Where(part => !File.Exists(part))];
        if (missing.Length > 0)
            throw new ModelFormatException(path, Count, $"{count} parts beside each other", $"{missing.Length} missing: {string.Join(", ", missing.Take(8).Select(part => System.IO.Path.GetFileName(part)))}{(missing.Length > 8 ? ", …" : "")}");
        try
        {
            for (int number = 1; number <= count; number++) AddPart(GgufFile.Open(name.Part(number)), number, count);
            if (First.TryGetInteger(Total, out long total) && total != Tensors.Count) throw First.Error(Total, $"{total} tensors in all {count} parts", $"{Tensors.Count}");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override string Path { get; }

    /// <summary>The part that has the metadata.</summary>
    public GgufFile First => parts[0];

    public override string Format => $"{First.Format} in {parts.Count} parts";

    public override long Length => parts.Sum(part => part.Length);

    public override string FallbackName => System.IO.Path.GetFileName(SplitName.Parse(Path)!.Stem);

    public override long? TokenCount => First.TokenCount;

    /// <summary>Opens a file, and where it is a part, all of them.</summary>
    /// <exception cref="ModelFormatException">A part is missing, damaged, or of another model.</exception>
    /// <exception cref="IOException">A file is absent or cannot be read.</exception>
    public static ModelFile OpenWhole(string path)
    {
        GgufFile file = GgufFile.Open(path);
        long count;
        try
        {
            if (!file.TryGetInteger(Count, out count) || count == 1) return file;
            if (count is < 1 or > SplitName.MaxCount) throw file.Error(Count, $"1 to {SplitName.MaxCount}", $"{count}");
        }
        catch
        {
            file.Dispose();
            throw;
        }
        file.Dispose();
        return new SplitGguf(path, (int)count);
    }

    public override TensorSource Source(StoredTensor tensor) => parts[tensor.Part].Source(tensor);

    public override void Forget(StoredTensor tensor) => parts[tensor.Part].Forget(tensor);

    public override bool TryGetString(string key, [NotNullWhen(true)] out string? value) => First.TryGetString(key, out value);

    public override bool TryGetInteger(string key, out long value) => First.TryGetInteger(key, out value);

    public override bool TryGetNumber(string key, out double value) => First.TryGetNumber(key, out value);

    public override bool TryGetBool(string key, out bool value) => First.TryGetBool(key, out value);

    public override ModelFormatException Error(string key, string expected, string found) => First.Error(key, expected, found);

    public override IEnumerable<KeyValuePair<string, string>> Describe() => First.Describe();

    public override void RequireModel() => First.RequireLanguageModel();

    public override Tokenizer ReadTokenizer() => First.ReadTokenizer();

    public override VocabularyData ReadVocabulary() => First.ReadVocabulary();

    public override ChatTemplate? ReadChatTemplate() => First.ReadChatTemplate();

    public override void Dispose()
    {
        foreach (GgufFile part in parts) part.Dispose();
    }

    private void AddPart(GgufFile part, int number, int count)
    {
        parts.Add(part);
        long found = part.RequireInteger(Count), own = part.RequireInteger(Number);
        if (found != count) throw part.Error(Count, $"{count}, as in the other parts", $"{found}");
        if (own != number - 1) throw part.Error(Number, $"{number - 1}, which the file's name says counted from 1", $"{own}");
        foreach (StoredTensor tensor in part.Tensors)
        {
            if (!TryAdd(tensor with { Part = number - 1 })) throw part.Error($"tensor {tensor.Name}", "a name that stands in one part", $"a second one; the first is in part {FindTensor(tensor.Name)!.Part + 1}");
            if (Tensors.Count > MaxTensors) throw part.Error("tensors", $"at most {MaxTensors} in all parts", "more");
        }
    }
}
