using System.CommandLine;
using System.Globalization;

namespace Inference.Cli;

/// <summary>How tokens are chosen and when an answer ends. Defaults live in <see cref="GenerationOptions"/> alone.</summary>
internal sealed class SamplingCliOptions
{
    private readonly Option<int?> maxTokens = CliOption.Integer("--max-tokens", "Most tokens to generate. Default 256.", 1);
    private readonly Option<int?> minTokens = CliOption.Integer("--min-tokens", "End tokens and stop strings do not count before this many tokens. Default 0.", 0);
    private readonly Option<float?> temperature = CliOption.Real("--temperature", "Divides the logits; 0 takes the most likely token. Default 0.", "0 or more", x => x >= 0);
    private readonly Option<int?> topK = CliOption.Integer("--top-k", "Keeps the k most likely tokens; 0 keeps all. Default 0.", 0);
    private readonly Option<float?> topP = CliOption.Real("--top-p", "Keeps the fewest most likely tokens whose probabilities sum to this. Default 1: all.", "above 0 and at most 1", x => x is > 0 and <= 1);
    private readonly Option<float?> minP = CliOption.Real("--min-p", "Keeps tokens at least this fraction as likely as the most likely one. Default 0: all.", "from 0 to 1", x => x is >= 0 and <= 1);
    private readonly Option<float?> repetition = CliOption.Real("--repetition-penalty", "Divides positive logits of tokens that occurred, multiplies negative ones. Default 1: off.", "above 0", x => x > 0);
    private readonly Option<float?> frequency = CliOption.Real("--frequency-penalty", "Subtracted from a token's logit for each time it occurred. Default 0.", "a number", _ => true);
    private readonly Option<float?> presence = CliOption.Real("--presence-penalty", "Subtracted from the logit of each token that occurred. Default 0.", "a number", _ => true);
    private readonly Option<string[]> bias = new("--logit-bias") { Description = "Added to the logit of a token id; may be given several times.", HelpName = "ID=X" };
    private readonly Option<ulong?> seed = CliOption.Seed("--seed", "Seed of the random numbers: with it, the same command gives the same text. Default: drawn anew.");
    private readonly Option<string[]> stop = new("--stop") { Description = "Text that ends the answer and is not part of it; may be given several times.", HelpName = "TEXT" };
    private readonly Option<string[]> stopIds = new("--stop-id") { Description = "Token id that ends the answer; may be given several times.", HelpName = "ID" };
    private readonly Option<bool> ignoreEos = CliOption.Flag("--ignore-eos", "Go on past the model's end tokens.");
    private readonly Option<bool> special = CliOption.Flag("--special", "Let the prompt spell special tokens such as <|im_end|>. Default: such text is plain text.");

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[maxTokens, minTokens, temperature, topK, topP, minP, repetition, frequency, presence, bias, seed, stop, stopIds, ignoreEos, special]) command.Add(option);
    }

    public GenerationOptions Read(ParseResult parsed)
    {
        var defaults = new GenerationOptions();
        string[] stops = parsed.GetValue(stop) ?? [];
        if (stops.Contains("")) throw new UsageException("--stop must not be empty");
        return defaults with
        {
            MaxTokens = parsed.GetValue(maxTokens) ?? defaults.MaxTokens,
            MinTokens = parsed.GetValue(minTokens) ?? defaults.MinTokens,
            Temperature = parsed.GetValue(temperature) ?? defaults.Temperature,
            TopK = parsed.GetValue(topK) ?? defaults.TopK,
            TopP = parsed.GetValue(topP) ?? defaults.TopP,
            MinP = parsed.GetValue(minP) ?? defaults.MinP,
            RepetitionPenalty = parsed.GetValue(repetition) ?? defaults.RepetitionPenalty,
            FrequencyPenalty = parsed.GetValue(frequency) ?? defaults.FrequencyPenalty,
            PresencePenalty = parsed.GetValue(presence) ?? defaults.PresencePenalty,
            LogitBias = ReadBias(parsed.GetValue(bias) ?? []),
            Seed = parsed.GetValue(seed),
            Stop = stops,
            StopTokenIds = [.. (parsed.GetValue(stopIds) ?? []).Select(text => ReadId(text) ?? throw new UsageException($"--stop-id must be a token id, not '{text}'"))],
            IgnoreEos = parsed.GetValue(ignoreEos),
            ParseSpecialTokens = parsed.GetValue(special),
        };
    }

    private static Dictionary<int, float>? ReadBias(string[] entries)
    {
        if (entries.Length == 0) return null;
        var biases = new Dictionary<int, float>();
        foreach (string entry in entries)
        {
            string[] parts = entry.Split('=');
            // Infinities are welcome here: they force or forbid a token.
            if (parts.Length != 2 || ReadId(parts[0]) is not { } id || !float.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out float value) || float.IsNaN(value))
                throw new UsageException($"--logit-bias must be ID=X, for example 13=-2.5, not '{entry}'");
            if (!biases.TryAdd(id, value)) throw new UsageException($"--logit-bias names token {id} twice");
        }
        return biases;
    }

    private static int? ReadId(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id : null;
}
