using Inference.Kernels;
using Inference.Models;

namespace Inference.Cli;

/// <summary>Results of <c>bench run</c> as a table or as JSON.</summary>
internal sealed record BenchReport(Inspection Model, string Device, EngineOptions Options, IReadOnlyList<BenchResult> Results)
{
    private int Threads => Options.Threads == 0 ? ProcessorTopology.Cores : Options.Threads;

    private string ModelName => Model.Name ?? Path.GetFileNameWithoutExtension(Model.Path);

    public void Write(TextWriter output, string? format)
    {
        var table = new TextTable("model", "types", "size>", "device", "threads>", "test", "batch>", "depth>", "tokens/s>", "deviation>");
        foreach (BenchResult r in Results)
            table.Add(ModelName, string.Join('+', Model.Types.Take(3).Select(t => t.Type)), ByteSize.Format(Model.FileBytes), Device, $"{Threads}", r.Test.Name, $"{r.Test.Batch}", $"{r.Test.Depth}", $"{r.Mean:F2}", $"{r.Deviation:F2}");
        BenchFormat.Write(output, format, table, json =>
        {
            json.WriteString("model", ModelName);
            json.WriteNumber("model_bytes", Model.FileBytes);
            json.WriteNumber("parameters", Model.ParameterCount);
            json.WriteString("device", Device);
            json.WriteString("kv_type", Options.KvType.ToString().ToLowerInvariant());
            json.WriteString("kv_value_type", (Options.KvValueType ?? Options.KvType).ToString().ToLowerInvariant());
            json.WriteArray("results", Results, r =>
            {
                json.WriteStartObject();
                json.WriteString("test", r.Test.Name);
                json.WriteNumber("batch", r.Test.Batch);
                json.WriteNumber("depth", r.Test.Depth);
                json.WriteNumber("threads", Threads);
                json.WriteReal("tokens_per_second", Math.Round(r.Mean, 3));
                json.WriteReal("stddev", Math.Round(r.Deviation, 3));
                json.WriteArray("samples", r.Samples, s => json.WriteRealValue(Math.Round(s, 3)));
                if (r.Profile is not null) ProfileReport.WriteJson(json, r.Profile);
                json.WriteEndObject();
            });
        });
        if (format == "json") return;
        foreach (BenchResult r in Results)
            if (r.Profile is not null) ProfileReport.Write(output, format == "md", r.Test, r.Profile);
        output.Flush();
    }
}
