namespace Inference;

/// <summary>The engine could not do what was asked: a request that can never fit, a device that failed, an engine that is gone.</summary>
public class InferenceException : Exception
{
    /// <summary>An error with its message.</summary>
    public InferenceException(string message) : base(message) { }

    /// <summary>An error with its message and its cause.</summary>
    public InferenceException(string message, Exception innerException) : base(message, innerException) { }
}
