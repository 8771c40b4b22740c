using System.CommandLine;
using Inference.Kernels;

namespace Inference.Cli;

/// <summary>Where to compute: shared by every command that computes.</summary>
internal sealed class DeviceCliOptions
{
    private readonly Option<string?> device = CliOption.Single<string?>("--device", "NAME", "auto, cpu, cuda[:n], opencl[:n] or ilgpu-cpu. Default auto: a GPU where one is usable, else cpu.",
        "auto, cpu, cuda[:n], opencl[:n] or ilgpu-cpu", (string text, out string? value) => IsDeviceName(value = text));
    private readonly Option<string?> simd = CliOption.Choice("--simd", "Instruction set of device cpu. Default: the best that the processor has.", "avx512vnni", "avx512", "avx2vnni", "avx2", "portable");
    private readonly Option<int?> threads = CliOption.Integer("--threads", "Threads of device cpu. Default: one per core.", 1, 1024);

    public void AddTo(Command command)
    {
        command.Add(device);
        command.Add(simd);
        command.Add(threads);
    }

    /// <summary>Device, instruction set and threads (0: one per core).</summary>
    public EngineOptions Read(ParseResult parsed)
    {
        string name = parsed.GetValue(device) ?? "auto";
        string? level = parsed.GetValue(simd);
        if (level is not null && name is not ("auto" or "cpu")) throw new UsageException($"--simd is for device cpu, not for {name}");
        // Who forces an instruction set means the processor.
        return new EngineOptions { Device = level is null ? name : "cpu", Simd = level, Threads = parsed.GetValue(threads) ?? 0 };
    }

    /// <summary>Opens the device without an engine.</summary>
    public Device Open(ParseResult parsed)
    {
        EngineOptions options = Read(parsed);
        return DeviceCatalog.Open(new DeviceOptions { Name = options.Device, Simd = options.Simd, Threads = options.Threads });
    }

    private static bool IsDeviceName(string text)
    {
        try
        {
            DeviceName.Parse(text);
            return true;
        }
        catch (DeviceUnavailableException)
        {
            return false;
        }
    }
}
