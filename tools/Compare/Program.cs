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

var source = new Option<FileInfo>("--model") { Description = "GGUF file in F16 or F32 that the types are made of.", DefaultValueFactory = _ => new FileInfo("../shared/models/kjv-5m/kjv-5m-f16.gguf") };
var text = new Option<FileInfo>("--file") { Description = "The text.", DefaultValueFactory = _ => new FileInfo("../shared/models/kjv-5m/heldout.txt") };
var context = new Option<int>("--context") { Description = "Tokens of a window.", DefaultValueFactory = _ => 512 };
var types = new Option<string[]>("--types")
{
    Description = "Types and mixes.",
    DefaultValueFactory = _ => ["F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "Q3_K_M", "Q2_K", "IQ4_XS", "IQ4_NL", "Q5_1"],
    AllowMultipleArgumentsPerToken = true,
};
var perplexity = new Command("perplexity", "Perplexity of a text for each type of one model beside llama.cpp's; exit code 1 when a row is out of bounds.") { source, text, context, types, peer };
perplexity.SetAction(parsed =>
{
    DirectoryInfo folder = Directory.CreateTempSubdirectory("compare-perplexity-");
    try
    {
        var comparison = new PerplexityComparison(PerplexityOf(parsed), parsed.GetValue(source)!.FullName, folder.FullName);
        return comparison.Run(parsed.GetValue(types)!) ? 0 : 1;
    }
    finally
    {
        folder.Delete(recursive: true);
    }
});
root.Add(perplexity);

var kvTypes = new Option<string[]>("--types") { Description = "KV types as inference --kv-type takes them.", DefaultValueFactory = _ => ["f32", "f16", "bf16", "q8_0", "q8_0,q4_0", "q4_0"], AllowMultipleArgumentsPerToken = true };
var kv = new Command("kv", "Perplexity of a text for each KV type beside llama.cpp's; exit code 1 when q8_0 or q4_0 is out of bounds.") { source, text, context, kvTypes, peer };
kv.SetAction(parsed => new KvComparison(PerplexityOf(parsed), parsed.GetValue(source)!.FullName).Run(parsed.GetValue(kvTypes)!) ? 0 : 1);
root.Add(kv);
root.Add(MatrixCommand.Create(peer, libraries));
return root.Parse(args).Invoke();

PerplexityPrograms PerplexityOf(ParseResult parsed) => new(parsed.GetValue(peer)!.FullName, parsed.GetValue(text)!.FullName, parsed.GetValue(context));
