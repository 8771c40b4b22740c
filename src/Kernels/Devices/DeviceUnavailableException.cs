namespace Inference;

/// <summary>The device that was asked for cannot be used; the message says what was asked, why not, and what there is.</summary>
public sealed class DeviceUnavailableException : Exception
{
    public DeviceUnavailableException(string message) : base(message) { }

    public DeviceUnavailableException(string message, Exception innerException) : base(message, innerException) { }
}
