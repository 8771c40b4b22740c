namespace Inference.Scheduling;

/// <summary>How much of the device a tenant has.</summary>
internal sealed class TenantLoad
{
    /// <summary>Sequences that are not finished.</summary>
    public int Sequences { get; set; }

    /// <summary>Sequences that run.</summary>
    public int Running { get; set; }
}
