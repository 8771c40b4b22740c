using System.Text.RegularExpressions;

namespace Inference.Cli;

/// <summary>The quantisation that a GGUF file's name tells: by custom its last part, in either case.</summary>
internal static partial class QuantName
{
    /// <summary>In front of files whose types vary more from layer to layer than their name says.</summary>
    private const string Dynamic = "UD-";

    /// <summary>In upper case, such as <c>Q4_K_M</c>, <c>UD-Q4_K_XL</c>, <c>BF16</c>; null: the name tells none.</summary>
    public static string? Of(string path)
    {
        string name = path[(path.LastIndexOf('/') + 1)..];
        // Some put the quantisation only into the folder's name.
        Match? found = Pattern().Matches(name).LastOrDefault() ?? Pattern().Matches(path).LastOrDefault();
        return found?.Value.ToUpperInvariant();
    }

    public static bool Same(string? quant, string wanted) => string.Equals(quant, wanted, StringComparison.OrdinalIgnoreCase);

    public static bool SameButDynamic(string? quant, string wanted) => quant is not null && quant.StartsWith(Dynamic, StringComparison.Ordinal) && Same(quant[Dynamic.Length..], wanted);

    [GeneratedRegex(@"(?<![A-Za-z0-9])(UD-)?(I?Q[1-9](_[A-Za-z0-9]+)*|TQ[12]_0|MXFP4(_MOE)?|NVFP4|BF16|FP?16|FP?32)(?![A-Za-z0-9_])", RegexOptions.IgnoreCase)]
    private static partial Regex Pattern();
}
