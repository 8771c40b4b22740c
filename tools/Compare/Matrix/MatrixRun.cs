namespace Inference.Compare;

/// <summary>
/// Fills the file of results: models, thread counts and tests that are not in it yet. Within a round the engines take turns, and the next round
/// begins with the other one.
/// </summary>
/// <param name="engines">What is compared.</param>
/// <param name="file">Results so far; each new one is appended.</param>
/// <param name="libraries">Builds of llama.cpp; the faster one is found once for each type and kind of test.</param>
/// <param name="kv">Type of the KV cache.</param>
/// <param name="rounds">Alternations; null for the kind's own number.</param>
/// <param name="cancellation">Ends the run after the process at work.</param>
internal sealed class MatrixRun(MatrixEngines engines, MatrixFile file, string[] libraries, string kv, int? rounds, CancellationToken cancellation)
{
    private readonly string cpu = MatrixEngines.CpuName(), revision = MatrixEngines.Revision();

    /// <returns>Whether every test could be measured.</returns>
    public bool Run(IEnumerable<string> models, int[] threadCounts, TestGroup[] groups)
    {
        bool complete = true;
        foreach (string model in models)
            foreach (int threads in threadCounts)
                foreach (TestGroup group in groups)
                {
                    cancellation.ThrowIfCancellationRequested();
                    try
                    {
                        if (group.Kind == TestKind.Startup) MeasureStartup(model, threads, rounds ?? group.DefaultRounds);
                        else if (Missing(model, threads, group) is { Sizes.Length: > 0 } missing) Measure(model, threads, missing, rounds ?? group.DefaultRounds);
                    }
                    catch (InvalidOperationException e) when (!cancellation.IsCancellationRequested)
                    {
                        // One model that an engine cannot run leaves the others.
                        Console.Error.WriteLine($"error: {Path.GetFileName(model)}, {group.Kind}: {e.Message}");
                        complete = false;
                    }
                }
        return complete;
    }

    private TestGroup Missing(string model, int threads, TestGroup group) =>
        group with { Sizes = [.. group.Sizes.Where(size => !file.Rows.Any(row => row.IsOf(Path.GetFileName(model), threads, kv) && row.Test == group.Name(size)))] };

    private void Measure(string model, int threads, TestGroup group, int count)
    {
        string library = FasterLibrary(model, threads, group);
        var facts = ModelFacts.Of(model);
        double[][] ours = new double[count][], theirs = new double[count][], stolen = new double[count][];
        var read = new double[count];
        for (int round = 0; round < count; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            read[round] = ReadBandwidth.Measure(threads);
            if (round % 2 == 0) ours[round] = engines.Ours(model, group, threads, kv);
            (theirs[round], stolen[round]) = engines.Theirs(model, group, threads, kv, library);
            if (round % 2 == 1) ours[round] = engines.Ours(model, group, threads, kv);
            read[round] = Math.Max(read[round], ReadBandwidth.Measure(threads));
            Console.Error.WriteLine($"{Path.GetFileName(model)} {threads} threads, round {round + 1} of {count}: {string.Join("; ", group.Sizes.Select((size, i) => $"{group.Name(size)} {ours[round][i]:F1}, {library} {theirs[round][i]:F1}"))}; read {read[round]:F1} GB/s");
        }
        foreach ((int i, int size) in group.Sizes.Index())
        {
            double[] rates = [.. ours.Select(r => r[i])];
            double?[] shares = [.. rates.Select((rate, round) => group.StepsPerSecond(size, rate) * facts.ReadBytes / 1e9 / read[round])];
            Append(Row(model, facts, group.Name(size), group.Kind, size, threads, library, "tok/s", rates, [.. theirs.Select(r => r[i])]) with
            {
                Stolen = Rounded([.. stolen.Select(s => s[i])]),
                ReadGbs = Rounded(read),
                ReadShare = shares[0] is null ? null : Math.Round(Statistics.Median(shares.Select(s => s!.Value)), 4),
            });
        }
    }

    /// <summary>The faster of two short runs each, or what an earlier result of the same type and kind was measured against.</summary>
    private string FasterLibrary(string model, int threads, TestGroup group)
    {
        if (libraries.Length == 1) return libraries[0];
        string type = NameParts(model).Type;
        if (file.Rows.FirstOrDefault(row => row.Type == type && row.Kind == group.Kind) is { } earlier) return earlier.Lib;
        TestGroup probe = group.Probe();
        var best = new double[libraries.Length];
        for (int pass = 0; pass < 2; pass++)
            for (int i = 0; i < libraries.Length; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                best[i] = Math.Max(best[i], engines.Theirs(model, probe, threads, kv, libraries[i]).Rates[0]);
            }
        Console.Error.WriteLine($"llama.cpp for {type}, {group.Kind}: {string.Join(", ", libraries.Select((library, i) => $"{library} {best[i]:F1}"))} tok/s");
        return libraries[Array.IndexOf(best, best.Max())];
    }

    /// <summary>First token, load time and peak memory. The peer is LLamaSharp's own library: its loader would take that one.</summary>
    private void MeasureStartup(string model, int threads, int count)
    {
        if (file.Rows.Any(row => row.IsOf(Path.GetFileName(model), threads, kv) && row.Kind == TestKind.Startup)) return;
        var facts = ModelFacts.Of(model);
        string library = libraries[0];
        var startup = new Startup(engines, model, library, threads, kv);
        StartupFigures[] ours = new StartupFigures[count], theirs = new StartupFigures[count];
        for (int round = 0; round < count; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (round % 2 == 0) ours[round] = startup.Ours();
            theirs[round] = startup.Theirs();
            if (round % 2 == 1) ours[round] = startup.Ours();
            Console.Error.WriteLine($"{Path.GetFileName(model)} {threads} threads, round {round + 1} of {count}: {ours[round]}; {library} {theirs[round]}");
        }
        Add("first-token", "ms", f => f.FirstTokenMilliseconds, null);
        Add("load", "ms", f => f.LoadMilliseconds, null);
        // The KV memory that one token touches is nothing beside the rest of the bound.
        Add("peak-rss", "MiB", f => f.PeakMebibytes, facts.FileBytes / 1048576.0 * 1.1 + 150);

        void Add(string test, string unit, Func<StartupFigures, double> figure, double? limit) =>
            Append(Row(model, facts, test, TestKind.Startup, 0, threads, library, unit, [.. ours.Select(figure)], [.. theirs.Select(figure)]) with { Limit = limit is { } l ? Math.Round(l, 1) : null });
    }

    private void Append(MatrixRow row)
    {
        file.Append(row);
        Console.Error.WriteLine($"  {row.Model} {row.Type} {row.Test}, {row.Threads} threads: {row.OursMedian:F1} {row.Unit}, llama.cpp {row.TheirsMedian:F1}, ratio {row.Ratio:F2}{(row.ReadShare is { } share ? $", {share:P0} of read" : "")}");
    }

    private MatrixRow Row(string model, ModelFacts facts, string test, TestKind kind, int size, int threads, string library, string unit, double[] ours, double[] theirs)
    {
        (string name, string type) = NameParts(model);
        return new MatrixRow
        {
            Model = name,
            Type = type,
            File = Path.GetFileName(model),
            Types = facts.Types,
            Test = test,
            Kind = kind,
            Size = size,
            Threads = threads,
            Kv = kv,
            Lib = library,
            Unit = unit,
            Ours = Rounded(ours),
            Theirs = Rounded(theirs),
            OursMedian = Math.Round(Statistics.Median(ours), 3),
            TheirsMedian = Math.Round(Statistics.Median(theirs), 3),
            Ratio = Math.Round(Statistics.MedianRatio(ours, theirs), 4),
            Date = DateTime.UtcNow,
            Cpu = cpu,
            Revision = revision,
        };
    }

    private static (string Model, string Type) NameParts(string path)
    {
        string name = Path.GetFileNameWithoutExtension(path);
        int dash = name.LastIndexOf('-');
        return dash < 0 ? (name, "") : (name[..dash], name[(dash + 1)..].ToUpperInvariant());
    }

    private static double[] Rounded(double[] values) => [.. values.Select(v => Math.Round(v, 3))];
}
