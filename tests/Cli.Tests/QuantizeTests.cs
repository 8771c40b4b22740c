using System.Diagnostics;
using Inference.Tests.Shared;

namespace Inference.Cli.Tests;

/// <summary><c>quantize</c> and <c>convert</c> of the sample model.</summary>
public sealed class QuantizeTests : IDisposable
{
    private static readonly string Sample = Path.Combine(SharedData.Root, "tools", "SampleModel", "kjv-5m-f16.gguf");

    private readonly string folder = Directory.CreateTempSubdirectory("inference-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string File(string name) => Path.Combine(folder, name);

    [Fact]
    public async Task A_quantised_model_is_smaller_and_generates()
    {
        CliRun run = await CliRun.Of("quantize", Sample, File("q.gguf"), "q4_k_m", "--threads", "2");
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        Assert.Contains("q.gguf: ", run.Output);
        Assert.Contains("Q6_K", run.Output);
        Assert.Equal(["q.gguf"], Directory.GetFiles(folder).Select(Path.GetFileName));
        Assert.InRange(new FileInfo(File("q.gguf")).Length, 3_500_000, 5_000_000);
        Assert.NotEqual("", await CliRun.Generate(File("q.gguf"), "--prompt", "In the beginning", "--max-tokens", "8"));
    }

    [Fact]
    public async Task Options_choose_types()
    {
        CliRun run = await CliRun.Of("quantize", Sample, File("q.gguf"), "Q4_0", "--token-embedding-type", "q8_0", "--output-tensor-type", "Q8_0", "--pure");
        Assert.Equal(ExitCode.Done, run.Code);
        Assert.Contains("Q8_0", run.Output);
        Assert.DoesNotContain("Q6_K", run.Output);
    }

    [Fact]
    public Task An_unknown_type_is_one_line_with_all_types() =>
        CliRun.Fails(ExitCode.Usage, "unknown type 'Q9_K': choose from F32, F16, BF16, Q8_0, Q6_K, Q5_1, Q5_K_M, Q5_K_S, Q5_0, Q4_1, Q4_K_M, Q4_K_S, Q4_0, IQ4_NL, IQ4_XS, Q3_K_L, Q3_K_M, Q3_K_S, Q2_K, Q2_K_S", "quantize", Sample, File("q.gguf"), "Q9_K");

    [Fact]
    public Task A_missing_file() => CliRun.Fails(ExitCode.Failed, "nowhere.gguf: no such file", "quantize", "nowhere.gguf", File("q.gguf"), "Q8_0");

    [Fact]
    public Task A_missing_folder() => CliRun.Fails(ExitCode.Failed, "there is no folder", "quantize", Sample, Path.Combine(folder, "nowhere", "q.gguf"), "Q8_0");

    [Fact]
    public Task A_missing_importance_matrix() => CliRun.Fails(ExitCode.Failed, "nowhere.dat", "quantize", Sample, File("q.gguf"), "Q8_0", "--imatrix", "nowhere.dat");

    [Fact]
    public async Task Existing_files_need_force()
    {
        System.IO.File.WriteAllText(File("q.gguf"), "precious");
        await CliRun.Fails(ExitCode.Failed, "q.gguf exists already; --force replaces it", "quantize", Sample, File("q.gguf"), "Q8_0");
        Assert.Equal("precious", System.IO.File.ReadAllText(File("q.gguf")));
        Assert.Equal(ExitCode.Done, (await CliRun.Of("quantize", Sample, File("q.gguf"), "Q8_0", "--force")).Code);
        Assert.True(new FileInfo(File("q.gguf")).Length > 1_000_000);
    }

    [Fact]
    public async Task The_file_itself_is_never_replaced()
    {
        System.IO.File.Copy(Sample, File("m.gguf"));
        await CliRun.Fails(ExitCode.Usage, "OUT is IN", "quantize", File("m.gguf"), Path.Combine(folder, ".", "m.gguf"), "Q8_0", "--force");
        if (OperatingSystem.IsWindows()) return;
        System.IO.File.CreateSymbolicLink(File("link.gguf"), File("m.gguf"));
        await CliRun.Fails(ExitCode.Usage, "OUT is IN", "quantize", File("link.gguf"), File("m.gguf"), "Q8_0", "--force");
        await CliRun.Fails(ExitCode.Usage, "OUT is IN", "quantize", File("m.gguf"), File("link.gguf"), "Q8_0", "--force");
    }

    [Fact]
    public async Task Quantised_files_need_requantize()
    {
        Assert.Equal(ExitCode.Done, (await CliRun.Of("quantize", Sample, File("q8.gguf"), "Q8_0")).Code);
        await CliRun.Fails(ExitCode.Failed, "--requantize", "quantize", File("q8.gguf"), File("q4.gguf"), "Q4_0");
        Assert.Equal(ExitCode.Done, (await CliRun.Of("quantize", File("q8.gguf"), File("q4.gguf"), "Q4_0", "--requantize")).Code);
    }

    [Fact]
    public async Task A_signal_leaves_no_file()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent with kill, which this system does not have");
        // 80 million weights, all 0, in a file without blocks on the disk: seconds of work.
        string large = File("large.gguf");
        byte[] header = Zeros(rows: 40_000, columns: 2048, copies: 8);
        using (FileStream stream = System.IO.File.Create(large))
        {
            stream.Write(header);
            stream.SetLength(header.Length + 8L * 40_000 * 2048 * 2);
        }
        (string file, string[] arguments) = HostProcess.Command("quantize", large, File("out.gguf"), "IQ4_NL", "--threads", "1");
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        while (!process.HasExited && Directory.GetFiles(folder, ".*.tmp").Length == 0) await Task.Delay(20);
        using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        await kill.WaitForExitAsync();
        string output = await process.StandardOutput.ReadToEndAsync(), error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal((ExitCode.Cancelled, "", ""), (process.ExitCode, output, error));
        Assert.Equal(["large.gguf"], Directory.GetFiles(folder).Select(Path.GetFileName));
    }

    [Fact]
    public Task Convert_takes_folders_only() => CliRun.Fails(ExitCode.Usage, "is no folder", "convert", Sample, File("c.gguf"));

    [Fact]
    public async Task A_converted_folder_generates_the_same_text()
    {
        string source = SharedData.Require("models", "kjv-5m", "hf");
        CliRun run = await CliRun.Of("convert", source, File("c.gguf"));
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        string[] prompt = ["--prompt", "And it came to pass", "--max-tokens", "40"];
        Assert.Equal(await CliRun.Generate([Sample, .. prompt]), await CliRun.Generate([File("c.gguf"), .. prompt]));
        Assert.Equal(ExitCode.Done, (await CliRun.Of("convert", source, File("q.gguf"), "--type", "Q4_K_M")).Code);
        Assert.NotEqual("", await CliRun.Generate([File("q.gguf"), .. prompt]));
    }

    /// <summary>Header of a GGUF file of F16 matrices, whose bytes follow it.</summary>
    private static byte[] Zeros(int rows, int columns, int copies)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        void Text(string text)
        {
            writer.Write((ulong)text.Length);
            writer.Write(System.Text.Encoding.ASCII.GetBytes(text));
        }
        writer.Write("GGUF"u8);
        writer.Write(3);
        writer.Write((ulong)copies);
        writer.Write(1UL);
        Text("general.architecture");
        writer.Write(8);
        Text("llama");
        for (int i = 0; i < copies; i++)
        {
            Text($"blk.{i}.ffn_up.weight");
            writer.Write(2);
            writer.Write((ulong)columns);
            writer.Write((ulong)rows);
            writer.Write(1);
            writer.Write((ulong)i * (ulong)rows * (ulong)columns * 2);
        }
        writer.Write(new byte[(32 - stream.Length % 32) % 32]);
        return stream.ToArray();
    }
}
