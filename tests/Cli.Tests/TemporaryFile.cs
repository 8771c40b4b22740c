namespace Inference.Cli.Tests;

/// <summary>A file that is gone after the test.</summary>
internal sealed class TemporaryFile : IDisposable
{
    public string Path { get; } = System.IO.Path.GetTempFileName();

    public static TemporaryFile With(ReadOnlySpan<byte> content)
    {
        var file = new TemporaryFile();
        File.WriteAllBytes(file.Path, content);
        return file;
    }

    public void Dispose() => File.Delete(Path);
}
