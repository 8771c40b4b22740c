using System.CommandLine;
using Inference.Compare;

// Our engine beside llama.cpp on the same files: rounds of one run each, in turn, so that a change of the machine's speed hits all alike.
var models = new Argument<FileInfo[]>("models") { Description = "GGUF files.", Arity = ArgumentArity.OneOrMore };
var peer = new Option<FileInfo>("--peer") { Description = "The script that runs llama.cpp.", DefaultValueFactory = _ => new FileInfo("../shared/peer/peer.sh") };
var libraries = new Option<string[]>("--lib") { Description = "Builds of llama.cpp to run; the faster one of a round counts.", DefaultValueFactory = _ => ["avx512", "node"], AllowMultipleArgumentsPerToken = true };
var prompt = new Option<int>("--pp") { Description = "Prompt tokens.", DefaultValueFactory = _ => 512 };
var tokens = new Option<int>("--tg") { Description = "Generated tokens.", DefaultValueFactory = _ => 64 };
var threads = new Option<int>("--threads") { Description = "Threads of each engine.", DefaultValueFactory = _ => Environment.ProcessorCount };
var rounds = new Option<int>("--rounds") { Description = "Rounds; the table has medians.", DefaultValueFactory = _ => 5 };

var root = new RootCommand("Compares the engine with llama.cpp on the same files, interleaved; prints a Markdown table of medians and ratios.") { models, peer, libraries, prompt, tokens, threads, rounds };
root.SetAction(parsed =>
{
    var comparison = new Comparison(parsed.GetValue(peer)!.FullName, parsed.GetValue(libraries)!, parsed.GetValue(prompt), parsed.GetValue(tokens), parsed.GetValue(threads), parsed.GetValue(rounds));
    if (!File.Exists(comparison.Peer))
    {
        Console.Error.WriteLine($"error: {comparison.Peer}: no such file");
        return 1;
    }
    comparison.PrintHeader();
    foreach (FileInfo model in parsed.GetValue(models)!) comparison.Run(model.FullName);
    return 0;
});
return root.Parse(args).Invoke();
