namespace Inference.Kernels.Tests;

/// <summary>Names, listing and opening of devices.</summary>
public class IlgpuDeviceTests
{
    [Theory]
    [InlineData("auto", DeviceKind.Auto, null)]
    [InlineData("cpu", DeviceKind.Cpu, null)]
    [InlineData("ilgpu-cpu", DeviceKind.IlgpuCpu, null)]
    [InlineData("cuda", DeviceKind.Cuda, null)]
    [InlineData("cuda:0", DeviceKind.Cuda, 0)]
    [InlineData("opencl:12", DeviceKind.OpenCl, 12)]
    internal void Names_parse(string text, DeviceKind kind, int? index) => Assert.Equal(new DeviceName(kind, index), DeviceName.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("gpu")]
    [InlineData("CUDA")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda:1x")]
    [InlineData("cpu:0")]
    [InlineData("opencl:99999999999")]
    public void Other_names_say_what_is_expected(string text)
    {
        var e = Assert.Throws<DeviceUnavailableException>(() => DeviceCatalog.Open(new DeviceOptions { Name = text }));
        Assert.Contains($"'{text}'", e.Message);
        Assert.Contains("auto, cpu, cuda[:n], opencl[:n] or ilgpu-cpu", e.Message);
    }

    [Fact]
    public void Every_device_that_is_not_usable_has_a_reason()
    {
        IReadOnlyList<DeviceInfo> devices = DeviceCatalog.List();
        Assert.All(devices, d => Assert.Equal(d.Status == DeviceStatus.Usable, d.Reason is null));
        Assert.Equal(SimdLevels.Best, devices.Single(d => d.Name == "cpu").Simd);
        Assert.Contains(devices, d => d is { Name: "ilgpu-cpu", Status: DeviceStatus.Usable });
        Assert.Contains(devices, d => d.Name.StartsWith("cuda"));
        Assert.Contains(devices, d => d.Name.StartsWith("opencl"));
        Assert.All(devices.Where(d => d.Status != DeviceStatus.Unusable), d => Assert.True(d.MemoryBytes > 0));
    }

    [Theory]
    [InlineData("cuda:64")]
    [InlineData("opencl:64")]
    public void A_missing_device_is_an_error_that_names_what_there_is(string name)
    {
        var e = Assert.Throws<DeviceUnavailableException>(() => DeviceCatalog.Open(new DeviceOptions { Name = name }));
        Assert.Contains($"device '{name}' was asked for, but ", e.Message);
        Assert.Contains("devices here: cpu", e.Message);
    }

    [Fact]
    public void Cpu_takes_its_instruction_set_and_threads()
    {
        using Device device = DeviceCatalog.Open(new DeviceOptions { Name = "cpu", Simd = "portable", Threads = 3 });
        var kernels = Assert.IsType<SimdKernels>(device.Kernels);
        Assert.Equal((SimdLevel.Portable, 3, "cpu"), (kernels.Level, kernels.Threads, device.Name));
        Assert.Empty(device.Warnings);
    }

    [Theory]
    [InlineData("sse9")]
    [InlineData("7")]
    public void Unknown_instruction_sets_are_named(string simd) =>
        Assert.Contains($"'{simd}'", Assert.Throws<DeviceUnavailableException>(() => DeviceCatalog.Open(new DeviceOptions { Name = "cpu", Simd = simd })).Message);

    [Fact]
    public void Auto_takes_no_opencl_processor()
    {
        using Device device = DeviceCatalog.Open(new DeviceOptions());
        DeviceInfo info = DeviceCatalog.List().Single(d => d.Name == device.Name);
        Assert.Equal(DeviceStatus.Usable, info.Status);
        if (DeviceCatalog.List().All(d => !d.Name.StartsWith("cuda:"))) Assert.True(device.Name == "cpu" || OpenClDevices.IsDiscreteGpu(int.Parse(device.Name["opencl:".Length..])));
    }

    [Fact]
    public void Limited_opencl_devices_warn()
    {
        DeviceInfo? limited = DeviceCatalog.List().FirstOrDefault(d => d.Name.StartsWith("opencl") && d.Status == DeviceStatus.Limited);
        if (limited is null)
        {
            Assert.DoesNotContain(DeviceCatalog.List(), d => d.Status == DeviceStatus.Limited);
            return;
        }
        using Device device = DeviceCatalog.Open(new DeviceOptions { Name = limited.Name });
        Assert.Contains("no generic address space", Assert.Single(device.Warnings));
        Assert.StartsWith("limited: ", limited.Reason);
    }

    [Fact]
    public void The_probe_accepts_right_answers()
    {
        using var kernels = new ReferenceKernels();
        DeviceProbe.Run("reference", kernels);
    }
}
