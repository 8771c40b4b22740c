namespace Inference.Models.Tests;

/// <summary>A file that goes away with the test.</summary>
internal sealed class TempFile : IDisposable
{
    public TempFile(byte[] bytes) => File.WriteAllBytes(Path, bytes);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"inference-{Guid.NewGuid():n}.gguf");

    public void Dispose() => File.Delete(Path);
}
