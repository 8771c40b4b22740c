using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Inference.Cli;

/// <summary>Makes options whose values are read the same way everywhere: invariant numbers, ranges checked here, messages that name the option.</summary>
internal static class CliOption
{
    /// <summary>A value from text: false where it is not one.</summary>
    public delegate bool Reader<T>(string text, out T value);

    public static Option<int?> Integer(string name, string help, int least = int.MinValue, int most = int.MaxValue) =>
        Single<int?>(name, "N", help, "a whole number" + Range(least, most), (string text, out int? value) =>
        {
            bool read = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number);
            value = number;
            return read && number >= least && number <= most;
        });

    public static Option<ulong?> Seed(string name, string help) =>
        Single<ulong?>(name, "N", help, "a whole number of 0 or more", (string text, out ulong? value) =>
        {
            bool read = ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number);
            value = number;
            return read;
        });

    /// <param name="name">With dashes.</param>
    /// <param name="help">Meaning and default.</param>
    /// <param name="expected">The range in words, for the message.</param>
    /// <param name="accept">The range.</param>
    public static Option<float?> Real(string name, string help, string expected, Func<float, bool> accept) =>
        Single<float?>(name, "X", help, expected, (string text, out float? value) =>
        {
            bool read = float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float number);
            value = number;
            return read && float.IsFinite(number) && accept(number);
        });

    public static Option<long?> Bytes(string name, string help) =>
        Single<long?>(name, "SIZE", help, "a size such as 512M, 2G or a number of bytes", (string text, out long? value) =>
        {
            bool read = ByteSize.TryParse(text, out long bytes);
            value = bytes;
            return read && bytes > 0;
        });

    /// <summary>Whole numbers, separated by commas.</summary>
    public static Option<int[]?> List(string name, string help, int least, int most = int.MaxValue) =>
        Single<int[]?>(name, "N,...", help, "whole numbers, separated by commas, each" + Range(least, most), (string text, out int[]? values) =>
        {
            string[] parts = text.Split(',');
            values = new int[parts.Length];
            for (int i = 0; i < parts.Length; i++)
                if (!int.TryParse(parts[i], NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out values[i]) || values[i] < least || values[i] > most) return false;
            return true;
        });

    /// <summary>Numbers, separated by commas.</summary>
    public static Option<float[]?> Reals(string name, string help, string expected, Func<float, bool> accept) =>
        Single<float[]?>(name, "X,...", help, expected, (string text, out float[]? values) =>
        {
            string[] parts = text.Split(',');
            values = new float[parts.Length];
            for (int i = 0; i < parts.Length; i++)
                if (!float.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out values[i]) || !float.IsFinite(values[i]) || !accept(values[i])) return false;
            return true;
        });

    /// <summary>One of a few words.</summary>
    public static Option<string?> Choice(string name, string help, params string[] words) =>
        Single<string?>(name, string.Join('|', words), help, "one of " + string.Join(", ", words), (string text, out string? value) => words.Contains(value = text));

    public static Option<bool> Flag(string name, string help) => new(name) { Description = help };

    /// <summary>An option that may be given once, with one value.</summary>
    public static Option<T> Single<T>(string name, string valueName, string help, string expected, Reader<T> reader)
    {
        return new Option<T>(name) { Description = help, HelpName = valueName, Arity = ArgumentArity.ExactlyOne, CustomParser = Parse };

        T Parse(ArgumentResult result)
        {
            string text = result.Tokens[0].Value;
            if (reader(text, out T value)) return value;
            result.AddError($"{name} must be {expected}, not '{text}'");
            return default!;
        }
    }

    private static string Range(int least, int most) =>
        most != int.MaxValue ? $" from {least} to {most}" : least != int.MinValue ? $" of {least} or more" : "";
}
