using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Cli.Tests;

/// <summary><c>generate --json</c> with the sample model: every key, and the numbers of golden.json (PyTorch).</summary>
public class GenerateJsonTests
{
    private static readonly JsonElement[] Goldens =
        [.. JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Path.Combine(SharedData.Root, "tools", "SampleModel", "golden.json"))).GetProperty("prompts").EnumerateArray()];

    private static string[] Prompts => [.. Goldens.SelectMany(g => (string[])["--prompt", g.GetProperty("prompt").GetString()!])];

    private static int Certain(JsonElement golden) =>
        golden.GetProperty("margins").EnumerateArray().Select(m => m.GetDouble()).TakeWhile(m => m >= 0.02).Count();

    [Fact]
    public async Task All_golden_prompts_at_once_give_the_golden_tokens_and_logprobs()
    {
        JsonElement json = await CliRun.GenerateJson([.. Prompts, "--max-tokens", "48", "--prompt-logprobs", "0"]);
        Assert.Equal(10, Goldens.Length);
        Assert.True(Goldens.Sum(Certain) > 240);
        for (int p = 0; p < Goldens.Length; p++)
        {
            JsonElement prompt = json.GetProperty("prompts")[p], completion = json.GetProperty("completions")[p];
            Assert.Equal(CliRun.Ints(Goldens[p].GetProperty("token_ids")), CliRun.Ints(prompt.GetProperty("prompt_token_ids")));
            Assert.Equal(p, completion.GetProperty("index").GetInt32());
            Assert.Equal(p, completion.GetProperty("prompt_index").GetInt32());
            int certain = Certain(Goldens[p]);
            int[] expected = CliRun.Ints(Goldens[p].GetProperty("greedy_48_ids")), ids = CliRun.Ints(completion.GetProperty("token_ids"));
            Assert.Equal(expected[..Math.Min(certain, ids.Length)], ids[..Math.Min(certain, ids.Length)]);
            Assert.Equal(JsonValueKind.Null, prompt.GetProperty("prompt_logprobs")[0].ValueKind);
            double?[] logprobs = [.. Goldens[p].GetProperty("prompt_logprobs").EnumerateArray().Select(e => e.ValueKind == JsonValueKind.Null ? (double?)null : e.GetDouble())];
            for (int i = 1; i < logprobs.Length; i++) Assert.Equal(logprobs[i]!.Value, prompt.GetProperty("prompt_logprobs")[i].GetProperty("logprob").GetDouble(), 1e-2);
        }
    }

    [Fact]
    public async Task The_end_token_is_not_among_the_ids_and_its_step_has_a_hash()
    {
        JsonElement golden = Goldens.Single(g => g.GetProperty("ended_with_eos").GetBoolean());
        JsonElement completion = (await CliRun.GenerateJson("--prompt", golden.GetProperty("prompt").GetString()!, "--max-tokens", "48", "--logit-hash")).GetProperty("completions")[0];
        int[] ids = CliRun.Ints(completion.GetProperty("token_ids")), expected = CliRun.Ints(golden.GetProperty("greedy_48_ids"));
        const int end = 2;
        Assert.Equal([.. expected.TakeWhile(id => id != end)], ids);
        Assert.Equal("stop", completion.GetProperty("finish_reason").GetString());
        Assert.Equal(ids.Length + 1, completion.GetProperty("logit_hashes").GetArrayLength());
    }

    [Fact]
    public async Task Every_key_is_there_with_its_type()
    {
        JsonElement json = await CliRun.GenerateJson("--prompt", "My son", "--max-tokens", "4", "--logprobs", "3", "--prompt-logprobs", "2", "--logit-hash");
        Assert.Equal(["model", "device", "prompts", "completions", "timings", "statistics"], Keys(json));
        Assert.Equal("kjv-5m", json.GetProperty("model").GetString());
        Assert.StartsWith("cpu", json.GetProperty("device").GetString());
        Assert.Equal(["prompt_token_ids", "prompt_logprobs"], Keys(json.GetProperty("prompts")[0]));
        JsonElement completion = json.GetProperty("completions")[0];
        Assert.Equal(["index", "prompt_index", "text", "token_ids", "finish_reason", "logprobs", "logit_hashes"], Keys(completion));
        Assert.Equal("length", completion.GetProperty("finish_reason").GetString());
        Assert.Equal(4, completion.GetProperty("token_ids").GetArrayLength());
        Assert.Equal(4, completion.GetProperty("logprobs").GetArrayLength());
        Assert.All(completion.GetProperty("logit_hashes").EnumerateArray(), h => Assert.Matches("^[0-9a-f]{16}$", h.GetString()!));
        for (int i = 0; i < 4; i++)
        {
            JsonElement entry = completion.GetProperty("logprobs")[i];
            Assert.Equal(["id", "logprob", "top"], Keys(entry));
            Assert.Equal(completion.GetProperty("token_ids")[i].GetInt32(), entry.GetProperty("id").GetInt32());
            Assert.Equal(3, entry.GetProperty("top").GetArrayLength());
            Assert.Equal(["id", "logprob"], Keys(entry.GetProperty("top")[0]));
            // Greedy: the token chosen is the most likely one.
            Assert.Equal(entry.GetProperty("logprob").GetDouble(), entry.GetProperty("top")[0].GetProperty("logprob").GetDouble());
        }
        Assert.Equal(["load_ms", "compile_ms", "first_token_ms", "prefill_tokens_per_second", "decode_tokens_per_second", "peak_rss_bytes"], Keys(json.GetProperty("timings")));
        Assert.All(json.GetProperty("timings").EnumerateObject(), t => Assert.True(t.Value.GetDouble() >= 0));
        Assert.True(json.GetProperty("timings").GetProperty("peak_rss_bytes").GetInt64() > 1 << 20);
        Assert.Equal(["steps", "mixed_steps", "prefill_chunks", "preemptions", "kv_blocks_total", "kv_blocks_peak", "cached_tokens"], Keys(json.GetProperty("statistics")));
        // One step of prefill yields the first token, three more steps the others.
        Assert.Equal(4, json.GetProperty("statistics").GetProperty("steps").GetInt32());
    }

    [Fact]
    public async Task Keys_that_were_not_asked_for_are_null_or_absent()
    {
        JsonElement json = await CliRun.GenerateJson("--prompt", "My son", "--max-tokens", "1");
        Assert.Equal(JsonValueKind.Null, json.GetProperty("prompts")[0].GetProperty("prompt_logprobs").ValueKind);
        Assert.Equal(JsonValueKind.Null, json.GetProperty("completions")[0].GetProperty("logprobs").ValueKind);
        Assert.False(json.GetProperty("completions")[0].TryGetProperty("logit_hashes", out _));
    }

    [Fact]
    public async Task N_samples_of_each_prompt_differ_and_do_not_depend_on_their_company()
    {
        string[] sampling = ["--temperature", "1", "--seed", "7", "--max-tokens", "16"];
        JsonElement json = await CliRun.GenerateJson(["--prompt", "My son", "--prompt", "And it", "--n", "3", .. sampling]);
        JsonElement[] completions = [.. json.GetProperty("completions").EnumerateArray()];
        Assert.Equal(2, json.GetProperty("prompts").GetArrayLength());
        Assert.Equal([0, 0, 0, 1, 1, 1], completions.Select(c => c.GetProperty("prompt_index").GetInt32()));
        Assert.Equal(Enumerable.Range(0, 6), completions.Select(c => c.GetProperty("index").GetInt32()));
        Assert.Equal(6, completions.Select(c => c.GetProperty("text").GetString()).Distinct().Count());
        JsonElement alone = await CliRun.GenerateJson(["--prompt", "My son", "--n", "2", .. sampling]);
        for (int i = 0; i < 2; i++) Assert.Equal(completions[i].GetProperty("text").GetString(), alone.GetProperty("completions")[i].GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_small_pool_preempts_and_changes_no_logit()
    {
        string[] args = [.. Prompts, "--max-tokens", "40", "--ignore-eos", "--logit-hash"];
        JsonElement roomy = await CliRun.GenerateJson(args), tight = await CliRun.GenerateJson([.. args, "--kv-blocks", "8", "--admission", "eager", "--max-batch-tokens", "16", "--max-chunk", "7"]);
        Assert.True(tight.GetProperty("statistics").GetProperty("preemptions").GetInt32() > 0);
        Assert.True(tight.GetProperty("statistics").GetProperty("mixed_steps").GetInt32() > 0);
        Assert.True(tight.GetProperty("statistics").GetProperty("prefill_chunks").GetInt32() > 0);
        Assert.Equal(8, tight.GetProperty("statistics").GetProperty("kv_blocks_total").GetInt32());
        for (int i = 0; i < Goldens.Length; i++)
            Assert.Equal(Hashes(roomy, i), Hashes(tight, i));

        static string[] Hashes(JsonElement json, int i) => [.. json.GetProperty("completions")[i].GetProperty("logit_hashes").EnumerateArray().Select(h => h.GetString()!)];
    }

    private static string[] Keys(JsonElement json) => [.. json.EnumerateObject().Select(p => p.Name)];
}
