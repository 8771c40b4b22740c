using System.Diagnostics;
using System.Globalization;

namespace Inference.Models.Tests;

/// <summary>
/// Damaged files are typed errors or working models. A few hundred with each run of the tests; <c>INFERENCE_MUTATIONS</c> sets the number of each kind,
/// <c>INFERENCE_MUTATION_SEED</c> the first seed, so that one that failed can be run alone.
/// </summary>
public class MutationTests(ITestOutputHelper output)
{
    private const int FirstSeed = 20261125, Usual = 250;

    [Theory, InlineData("GGUF"), InlineData("safetensors")]
    public void Damaged_files_are_errors_or_models(string kind)
    {
        int count = Number("INFERENCE_MUTATIONS", Usual), seed = Number("INFERENCE_MUTATION_SEED", FirstSeed);
        using var run = new MutationRun(kind == "GGUF" ? FuzzModel.Gguf : FuzzModel.Folders);
        run.RunWhole();
        List<string> failures = [];
        for (int i = 0; i < count && failures.Count < 20; i++)
        {
            try
            {
                run.Run(seed + i);
            }
            catch (Exception error) when (error is InvalidOperationException or Xunit.Sdk.XunitException)
            {
                failures.Add(error.InnerException is { } inner ? $"{error.Message} {inner.StackTrace?.Split('\n').FirstOrDefault()?.Trim()}" : error.Message);
            }
        }
        string line = $"{count} mutations of {kind} from seed {seed}: {run.Refused} typed errors, {run.Working} working models; most processor time {run.Slowest.TotalMilliseconds:f0} ms ({run.SlowestName}), "
            + $"most managed memory {run.LargestBytes / 1e6:f1} MB ({run.LargestName}), peak of the process {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:f0} MB; {string.Join(", ", run.Errors.Select(e => $"{e.Value} {e.Key}"))}";
        output.WriteLine(line);
        if (count != Usual) Console.WriteLine(line);
        Assert.True(failures.Count == 0, string.Join('\n', failures));
        Assert.True(run.Working > 0 && run.Refused > 0, line);
    }

    private static int Number(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : otherwise;
}
