using Inference.Kernels.Cases;
using Inference.Tests.Shared;

namespace Inference.Kernels.Tests;

/// <summary>No format is expanded in memory: what a device holds of a weight against the bytes of the file.</summary>
public class WeightMemoryTests(ITestOutputHelper output)
{
    private const int Rows = 320, Columns = 1024;

    /// <summary>A few percent of alignment and unused arrays; the constant is for matrices as small as this one.</summary>
    private const double Ratio = 1.07, Slack = 1024;

    [Theory]
    [InlineData("cpu")]
    [InlineData("ilgpu-cpu")]
    [InlineData("opencl")]
    public void A_weight_takes_no_more_than_in_the_file(string name)
    {
        using Device device = Open(name);
        List<string> ratios = [];
        foreach (TensorFormat format in TensorFormat.All)
        {
            using var tensor = new RandomTensor(format, Rows, Columns, 1);
            using Weight weight = device.Kernels.LoadWeight(tensor.Source, exact: false);
            ratios.Add($"{format.Name} {(double)weight.PackedBytes / tensor.Source.Bytes:f3}");
            Assert.Equal(format.Type, weight.Type);
            Assert.True(weight.PackedBytes <= Ratio * tensor.Source.Bytes + Slack, $"{format.Name}: {weight.PackedBytes} bytes for {tensor.Source.Bytes} in the file");
        }
        output.WriteLine(string.Join(", ", ratios));
        ConformanceLog.Write("weight-bytes-" + name, $"{ratios.Count} types, bytes in memory / in the file: {string.Join(", ", ratios)}");
    }

    /// <summary>The decoded rows of a stored format do not fit the scratch memory at once.</summary>
    [Theory]
    [InlineData("ilgpu-cpu")]
    [InlineData("opencl")]
    public void Large_weights_are_decoded_in_parts(string name)
    {
        using Device device = Open(name);
        using var reference = new ReferenceKernels();
        foreach (OperationCase c in (OperationCase[])
        [
            ProductCases.LinearAdd(TensorFormat.Of(TensorType.Q5_1), 3, 128, 44_000, bias: true), // 43690 rows at a time
            ProductCases.Embed(TensorFormat.Of(TensorType.TQ2_0), 40, 256 * 700, 50), // 31 rows at a time
        ])
        {
            double error = OperationCase.Error(c.Run(device.Kernels), c.Run(reference));
            Assert.True(error <= c.Tolerance, $"{c}: error {error:E2}, allowed {c.Tolerance:E1}");
        }
    }

    private static Device Open(string name)
    {
        try
        {
            return DeviceCatalog.Open(new DeviceOptions { Name = name });
        }
        catch (DeviceUnavailableException e) when (name == "opencl")
        {
            Assert.Skip("no OpenCL device: " + e.Message);
            throw;
        }
    }
}
