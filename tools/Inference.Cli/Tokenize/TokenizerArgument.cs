using System.CommandLine;
using Inference.Models;

namespace Inference.Cli;

/// <summary>The MODEL of the commands that need its tokenizer only.</summary>
internal static class TokenizerArgument
{
    public static Argument<string> Create()
    {
        var model = new Argument<string>("MODEL") { Description = "GGUF file (weights are not read and may be absent), tokenizer.json, or a Hugging Face folder." };
        model.Validators.Add(CommandLineApp.RefuseOptions);
        return model;
    }

    /// <exception cref="UsageException">The path is empty.</exception>
    /// <exception cref="IOException">There is no such file or folder.</exception>
    public static Tokenizer Open(string path)
    {
        if (string.IsNullOrWhiteSpace(path)) throw new UsageException("MODEL is empty");
        if (!File.Exists(path) && !Directory.Exists(path)) throw new FileNotFoundException($"{path}: no such file or folder", path);
        return Tokenizer.Open(path);
    }
}
