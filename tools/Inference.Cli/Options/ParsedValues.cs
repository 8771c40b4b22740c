using System.CommandLine;

namespace Inference.Cli;

internal static class ParsedValues
{
    /// <summary>The list given, or the default. (The parser has an empty list for an option that was not given.)</summary>
    public static int[] ListOr(this ParseResult parsed, Option<int[]?> option, params int[] otherwise) => parsed.GetValue(option) is { Length: > 0 } given ? given : otherwise;
}
