using System.Diagnostics;
using System.Text.Json;

namespace Inference.Cli;

/// <summary>What <c>generate --json</c> prints: one object with the keys model, device, prompts, completions, timings and statistics.</summary>
internal static class GenerateJson
{
    public static void Write(TextWriter output, GenerateRun run)
    {
        EngineStatistics statistics = run.Engine.GetStatistics();
        JsonText.Write(output, json =>
        {
            json.WriteString("model", run.Engine.ModelName);
            json.WriteString("device", statistics.Device);
            // Samples of one prompt share its tokens.
            json.WriteArray("prompts", run.Completions.DistinctBy(c => c.PromptIndex), c => WritePrompt(json, c.Generation));
            json.WriteArray("completions", run.Completions.Index(), c => WriteCompletion(json, c.Index, c.Item));
            json.WriteStartObject("timings");
            json.WriteReal("load_ms", Round(statistics.LoadMilliseconds));
            json.WriteReal("compile_ms", Round(GenerateRun.CompileTime(statistics).TotalMilliseconds));
            json.WriteReal("first_token_ms", Round(run.FirstToken?.TotalMilliseconds ?? double.NaN));
            json.WriteReal("prefill_tokens_per_second", Rate(statistics.PrefillTokens, statistics.PrefillSeconds));
            json.WriteReal("decode_tokens_per_second", Rate(statistics.DecodeTokens, statistics.DecodeSeconds));
            json.WriteNumber("peak_rss_bytes", PeakResidentBytes());
            json.WriteEndObject();
            json.WriteStartObject("statistics");
            json.WriteNumber("steps", statistics.Steps);
            json.WriteNumber("mixed_steps", statistics.MixedSteps);
            json.WriteNumber("prefill_chunks", statistics.PrefillChunks);
            json.WriteNumber("preemptions", statistics.Preemptions);
            json.WriteNumber("kv_blocks_total", statistics.KvBlocksTotal);
            json.WriteNumber("kv_blocks_peak", statistics.KvBlocksPeak);
            json.WriteNumber("cached_tokens", statistics.CachedTokens);
            json.WriteEndObject();
        });
    }

    private static void WritePrompt(Utf8JsonWriter json, Generation generation)
    {
        json.WriteStartObject();
        json.WriteArray("prompt_token_ids", generation.PromptTokenIds, json.WriteNumberValue);
        if (generation.PromptLogprobs is { } logprobs) json.WriteArray("prompt_logprobs", logprobs, entry => WriteLogprobs(json, entry));
        else json.WriteNull("prompt_logprobs");
        json.WriteEndObject();
    }

    private static void WriteCompletion(Utf8JsonWriter json, int index, Completion completion)
    {
        json.WriteStartObject();
        json.WriteNumber("index", index);
        json.WriteNumber("prompt_index", completion.PromptIndex);
        json.WriteString("text", completion.Text.ToString());
        json.WriteArray("token_ids", completion.TokenIds, json.WriteNumberValue);
        json.WriteString("finish_reason", Name(completion.FinishReason));
        if (completion.Error is { } error) json.WriteString("error", ErrorLine.Of(error).Line);
        if (completion.Logprobs.Count > 0) json.WriteArray("logprobs", completion.Logprobs, entry => WriteLogprobs(json, entry));
        else json.WriteNull("logprobs");
        if (completion.LogitHashes.Count > 0) json.WriteArray("logit_hashes", completion.LogitHashes, hash => json.WriteStringValue(hash.ToString("x16")));
        json.WriteEndObject();
    }

    private static void WriteLogprobs(Utf8JsonWriter json, TokenLogprobs? entry)
    {
        if (entry is null)
        {
            json.WriteNullValue();
            return;
        }
        json.WriteStartObject();
        WritePair(entry.Id, entry.Logprob);
        json.WriteArray("top", entry.Top, top =>
        {
            json.WriteStartObject();
            WritePair(top.Id, top.Logprob);
            json.WriteEndObject();
        });
        json.WriteEndObject();

        void WritePair(int id, float logprob)
        {
            json.WriteNumber("id", id);
            json.WritePropertyName("logprob");
            if (float.IsFinite(logprob)) json.WriteNumberValue(logprob);
            else json.WriteNullValue();
        }
    }

    private static string Name(FinishReason reason) => reason switch
    {
        FinishReason.Stop => "stop",
        FinishReason.Length => "length",
        FinishReason.Cancelled => "cancelled",
        _ => "error",
    };

    private static long PeakResidentBytes()
    {
        using Process self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }

    /// <summary>Tokens a second; 0 where no step was of that kind alone.</summary>
    private static double Rate(long tokens, double seconds) => seconds > 0 ? Round(tokens / seconds) : 0;

    private static double Round(double value) => Math.Round(value, 3);
}
