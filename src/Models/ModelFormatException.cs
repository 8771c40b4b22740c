namespace Inference;

/// <summary>A model file that this build cannot read. The message names the file, the place in it, what was expected there and what was found.</summary>
public sealed class ModelFormatException : Exception
{
    /// <summary>Makes the message from its four parts.</summary>
    public ModelFormatException(string file, string key, string expected, string found)
        : base($"{file}: {key}: expected {expected}, found {found}")
    {
        File = file;
        Key = key;
        Expected = expected;
        Found = found;
    }

    /// <summary>Path of the file.</summary>
    public string File { get; }

    /// <summary>Metadata key, tensor name or header field.</summary>
    public string Key { get; }

    /// <summary>What would have been accepted.</summary>
    public string Expected { get; }

    /// <summary>What stands there instead.</summary>
    public string Found { get; }
}
