namespace Inference.Tests.Scheduling;

/// <summary>A clock that stands still until it is moved; one tick is a microsecond.</summary>
internal sealed class FakeClock : TimeProvider
{
    public long Now { get; set; }

    public override long TimestampFrequency => 1_000_000;

    public override long GetTimestamp() => Now;
}
