namespace Inference;

/// <summary>A file with a saved prefix cannot be used: it is damaged, of another kind, or was made with another model or engine. The message says which; nothing has changed.</summary>
public sealed class PrefixFileException : InferenceException
{
    internal PrefixFileException(string path, string problem) : base($"{path}: {problem}") { }
}
