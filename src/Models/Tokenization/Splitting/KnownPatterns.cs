namespace Inference.Models;

/// <summary>Pre-tokenization patterns that many vocabularies share; <c>tokenizer.ggml.pre</c> and the byte-level pre-tokenizer of a tokenizer.json stand for them.</summary>
internal static class KnownPatterns
{
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string SymbolsAndSpace = @" ?[^\s\p{L}\p{N}]+[\r\n]*|" + Space;
    private const string Space = @"\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Upper = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", Lower = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}]";
    private const string Prefix = @"[^\r\n\p{L}\p{N}]?";

    /// <summary>GPT-2's, and the byte-level pre-tokenizer's own.</summary>
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    public const string OneNumber = @"\p{N}";

    public const string Qwen2 = Contractions + "|" + Prefix + @"\p{L}+|\p{N}|" + SymbolsAndSpace;

    public const string Llama3 = Contractions + "|" + Prefix + @"\p{L}+|\p{N}{1,3}|" + SymbolsAndSpace;

    public const string Gpt4O = Prefix + Upper + "*" + Lower + "+" + Contractions + "?|" + Prefix + Upper + "+" + Lower + "*" + Contractions + @"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + Space;

    public const string Tekken = Prefix + Upper + "*" + Lower + "+|" + Prefix + Upper + "+" + Lower + @"*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + Space;

    public const string ThreeNumbers = @"\p{N}{1,3}";

    public const string EastAsian = @"[一-龥\u3040-ゟ゠-ヿ]+";

    public const string DeepSeek3 = @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|" + Space;

    public const string FalconSymbols = @"[\p{P}\$\+<=>\^~\|`]+";

    public const string DefaultSymbols = @"[\p{P}\$\+<=>\^~\|]+";

    public const string Numbers = @"\p{N}+";

    public const string ThreeDigits = "[0-9][0-9][0-9]";
}
