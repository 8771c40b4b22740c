using Inference.Kernels;

namespace Inference.Tests;

/// <summary>Loads the sample model for a test.</summary>
internal static class TestEngine
{
    /// <summary>Skips the test visibly where the device is absent.</summary>
    public static async Task<InferenceEngine> LoadAsync(EngineOptions options, ModelSource? model = null)
    {
        try
        {
            return await InferenceEngine.LoadAsync(model ?? ModelSource.Sample, options);
        }
        catch (DeviceUnavailableException e) when (options.Device.StartsWith("opencl", StringComparison.Ordinal) || options.Device.StartsWith("cuda", StringComparison.Ordinal))
        {
            Assert.Skip($"no {(options.Device[0] == 'c' ? "CUDA" : "OpenCL")} device: {e.Message}");
            throw;
        }
    }

    public static async Task<List<GeneratedToken>> CollectAsync(Generation generation)
    {
        List<GeneratedToken> tokens = [];
        await foreach (GeneratedToken token in generation) tokens.Add(token);
        return tokens;
    }
}
