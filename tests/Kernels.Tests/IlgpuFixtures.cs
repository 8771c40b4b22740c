using System.Collections.Concurrent;
using System.Diagnostics;

namespace Inference.Kernels.Tests;

/// <summary>One opened device for all tests of a collection: kernels are compiled once, and tests of one device run one after the other.</summary>
public abstract class IlgpuFixture : IDisposable
{
    private readonly Lazy<Device> device;

    private protected IlgpuFixture(Func<Device> open) => device = new(open);

    /// <summary>The kernel set; skips the test where the device is absent.</summary>
    internal KernelSet Kernels
    {
        get
        {
            try
            {
                return device.Value.Kernels;
            }
            catch (DeviceUnavailableException e)
            {
                Assert.Skip(e.Message);
                throw;
            }
        }
    }

    /// <summary>Fails the test that has read or written beyond a view. Only the simulator checks bounds.</summary>
    public virtual void CheckBounds() { }

    public virtual void Dispose()
    {
        if (device.IsValueCreated) device.Value.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>ILGPU's CPU accelerator, which raises a Trace assertion on every index beyond a view.</summary>
public sealed class SimulatorFixture : IlgpuFixture
{
    private readonly ConcurrentQueue<string> failures = [];

    public SimulatorFixture() : base(SimulatorDevice.Open)
    {
        // The default listener would end the process.
        Trace.Listeners.Clear();
        Trace.Listeners.Add(new Recorder(failures));
    }

    public override void CheckBounds()
    {
        bool failed = failures.TryDequeue(out string? first);
        failures.Clear();
        Assert.False(failed, "assertion in a kernel: " + first);
    }

    private sealed class Recorder(ConcurrentQueue<string> failures) : TraceListener
    {
        public override void Fail(string? message, string? detailMessage) => failures.Enqueue(message + " " + detailMessage);
        public override void Write(string? message) { }
        public override void WriteLine(string? message) { }
    }
}

/// <summary>The first OpenCL device: PoCL in CI.</summary>
public sealed class OpenClFixture() : IlgpuFixture(Open)
{
    private static Device Open()
    {
        try
        {
            return DeviceCatalog.Open(new DeviceOptions { Name = "opencl" });
        }
        catch (DeviceUnavailableException e)
        {
            throw new DeviceUnavailableException("no OpenCL device: " + e.Message, e);
        }
    }
}

/// <summary>The first CUDA device.</summary>
public sealed class CudaFixture() : IlgpuFixture(Open)
{
    private static Device Open()
    {
        try
        {
            return DeviceCatalog.Open(new DeviceOptions { Name = "cuda" });
        }
        catch (DeviceUnavailableException e)
        {
            throw new DeviceUnavailableException("no CUDA device: " + e.Message, e);
        }
    }
}

[CollectionDefinition(nameof(SimulatorFixture))]
public sealed class SimulatorTests : ICollectionFixture<SimulatorFixture>;

[CollectionDefinition(nameof(OpenClFixture))]
public sealed class OpenClTests : ICollectionFixture<OpenClFixture>;

[CollectionDefinition(nameof(CudaFixture))]
public sealed class CudaTests : ICollectionFixture<CudaFixture>;
