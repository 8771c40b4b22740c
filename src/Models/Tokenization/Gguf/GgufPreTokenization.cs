using System.Text;

namespace Inference.Models;

/// <summary>What the name in <c>tokenizer.ggml.pre</c> stands for.</summary>
internal sealed class GgufPreTokenization
{
    private static readonly Dictionary<string, GgufPreTokenization> Known = MakeKnown();

    private readonly string[] patterns;
    private readonly Lazy<PreTokenizer> preTokenizer;

    private GgufPreTokenization(params string[] patterns)
    {
        this.patterns = patterns;
        preTokenizer = new Lazy<PreTokenizer>(MakePreTokenizer);
    }

    /// <summary>Names of all that are supported.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <summary>All that cut differently, by their first name.</summary>
    public static IEnumerable<(string Name, GgufPreTokenization Pre)> Distinct => Known.DistinctBy(entry => entry.Value).Select(entry => (entry.Key, entry.Value));

    /// <summary>A piece that is a token as a whole is that token, whatever the merges would give.</summary>
    public bool WholePiecesFirst { get; private init; }

    /// <summary>A prompt begins with BOS where the file does not say.</summary>
    public bool AddsBos { get; private init; }

    /// <summary>How text is cut.</summary>
    public PreTokenizer PreTokenizer => preTokenizer.Value;

    /// <summary>Text is brought to Unicode form NFC first.</summary>
    private bool ComposesText { get; init; }

    public static GgufPreTokenization? Find(string name) => Known.GetValueOrDefault(name);

    /// <exception cref="PlatformNotSupportedException">It needs ICU.</exception>
    public Normalizer? MakeNormalizer() => ComposesText ? new UnicodeFormNormalizer(NormalizationForm.FormC) : null;

    private PreTokenizer MakePreTokenizer()
    {
        PreTokenizer[] steps = [.. patterns.Select(pattern => new PatternSplit(TextPattern.Parse(pattern), SplitBehavior.Isolated))];
        return steps.Length == 1 ? steps[0] : new PreTokenizerSequence(steps);
    }

    private static Dictionary<string, GgufPreTokenization> MakeKnown()
    {
        var known = new Dictionary<string, GgufPreTokenization>(StringComparer.Ordinal);
        void Add(string names, GgufPreTokenization pre)
        {
            foreach (string name in names.Split(' ')) known.Add(name, pre);
        }
        Add("gpt-2 phi-2 jais gigachat trillion roberta-bpe granite-docling mellum", new(KnownPatterns.Gpt2));
        Add("mpt olmo", new(KnownPatterns.Gpt2) { ComposesText = true });
        Add("smollm starcoder refact codeshell exaone minerva-7b", new(KnownPatterns.OneNumber, KnownPatterns.Gpt2));
        Add("command-r", new(KnownPatterns.OneNumber, KnownPatterns.Gpt2) { ComposesText = true });
        Add("qwen2 deepseek-r1-qwen megrez", new(KnownPatterns.Qwen2) { ComposesText = true });
        Add("stablelm2 hunyuan", new(KnownPatterns.Qwen2));
        Add("llama-bpe llama3 llama-v3 falcon3 pixtral", new(KnownPatterns.Llama3) { WholePiecesFirst = true, AddsBos = true });
        Add("dbrx smaug-bpe chatglm-bpe glm4", new(KnownPatterns.Llama3));
        Add("gpt-4o llama4", new(KnownPatterns.Gpt4O) { WholePiecesFirst = true });
        Add("tekken", new(KnownPatterns.Tekken) { WholePiecesFirst = true, AddsBos = true });
        Add("deepseek-v3", new(KnownPatterns.ThreeNumbers, KnownPatterns.EastAsian, KnownPatterns.DeepSeek3));
        Add("falcon", new(KnownPatterns.FalconSymbols, KnownPatterns.Gpt2, KnownPatterns.ThreeDigits));
        Add("default", new(KnownPatterns.DefaultSymbols, KnownPatterns.Gpt2, KnownPatterns.Numbers, KnownPatterns.ThreeDigits));
        return known;
    }
}
