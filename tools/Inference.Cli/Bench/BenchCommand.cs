using System.CommandLine;

namespace Inference.Cli;

/// <summary><c>bench</c>: how fast models, operations and tokenizers run.</summary>
internal static class BenchCommand
{
    public static Command Create(CliConsole console) => new("bench", "Measures speed: of models (run), of many requests at once (serve), of single operations (ops) and of tokenizers (tokenizer).")
    {
        BenchRunCommand.Create(console),
        BenchServeCommand.Create(console),
        BenchOpsCommand.Create(console),
        BenchTokenizerCommand.Create(console),
    };
}
