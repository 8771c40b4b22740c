using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Inference.Kernels;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>kjv-5m as a Hugging Face folder and as the GGUF file that another program made of the same weights.</summary>
public class FolderGoldenTests(ITestOutputHelper output)
{
    private static readonly string[] Names = ["attn_q.weight", "attn_k.weight"];

    private static string Gguf => SharedData.Require("models", "kjv-5m", "kjv-5m-f16.gguf");

    private static string Folder => SharedData.Require("models", "kjv-5m", "hf");

    [Theory, InlineData("reference", true, false), InlineData("cpu", true, false), InlineData("cpu", false, false), InlineData("cpu", true, true)]
    public void Folder_and_GGUF_give_the_same_logit_hashes(string device, bool pack, bool exact)
    {
        using KernelSet kernels = device == "cpu" ? new SimdKernels(SimdLevels.Best, threads: 2, pack) : new ReferenceKernels();
        using ModelFile folder = ModelFile.Open(Folder), gguf = ModelFile.Open(Gguf);
        using LoadedModel a = LoadedModel.Load(folder, kernels, new(exact)), b = LoadedModel.Load(gguf, kernels, new(exact));
        Tokenizer tokenizer = folder.ReadTokenizer(), other = gguf.ReadTokenizer();
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllText(SharedData.Require("models", "kjv-5m", "golden.json")));
        int prompts = 0;
        foreach (JsonElement entry in golden.RootElement.GetProperty("prompts").EnumerateArray())
        {
            string text = entry.GetProperty("prompt").GetString()!;
            int[] ids = [.. entry.GetProperty("token_ids").EnumerateArray().Select(e => e.GetInt32())];
            Assert.Equal(ids, tokenizer.Encode(text, addSpecial: true, parseSpecial: false));
            Assert.Equal(ids, other.Encode(text, addSpecial: true, parseSpecial: false));
            Assert.Equal(Hash(b, kernels, ids), Hash(a, kernels, ids));
            prompts++;
        }
        Assert.Equal(10, prompts);
        Assert.Equal(other.EndOfGeneration, tokenizer.EndOfGeneration);
        Assert.Equal(b.Spec, a.Spec);
        output.WriteLine($"{prompts} prompts: folder and GGUF give the same SHA-256 of all logits on {kernels.Name}");
    }

    [Fact]
    public void Every_tensor_has_the_values_of_the_GGUF_file()
    {
        using ModelFile folder = ModelFile.Open(Folder), gguf = ModelFile.Open(Gguf);
        Assert.Equal(gguf.Tensors.Select(t => t.Name).Order(), folder.Tensors.Select(t => t.Name).Order());
        foreach (StoredTensor tensor in gguf.Tensors)
        {
            TensorSource expected = gguf.Source(tensor), actual = folder.Source(folder.FindTensor(tensor.Name)!);
            Assert.Equal((expected.Rows, expected.Columns), (actual.Rows, actual.Columns));
            float[] a = new float[expected.Columns], b = new float[expected.Columns];
            for (int row = 0; row < expected.Rows; row++)
            {
                expected.DecodeRow(row, a);
                actual.DecodeRow(row, b);
                Assert.True(a.AsSpan().SequenceEqual(b), $"{tensor.Name} row {row}");
            }
        }
        Assert.All(folder.Tensors.Where(t => Names.Any(n => t.Name.EndsWith(n, StringComparison.Ordinal))), t => Assert.Equal(64, folder.Source(t).HalvedHead));
    }

    [Fact]
    public void The_vocabulary_of_tokenizer_model_is_that_of_the_GGUF_file()
    {
        using GgufFile file = GgufFile.Open(Gguf);
        VocabularyData expected = VocabularyData.Read(file), actual = FolderTokenizer.ReadSentencePiece(Folder, int.MaxValue);
        Assert.Equal(expected.Tokens, actual.Tokens);
        Assert.Equal(expected.Types, actual.Types);
        Assert.Equal(expected.Scores, actual.Scores);
        Assert.Equal((expected.Model, expected.BosId, expected.EosId, expected.UnknownId, expected.AddBos, expected.AddEos), (actual.Model, actual.BosId, actual.EosId, actual.UnknownId, actual.AddBos, actual.AddEos));
    }

    [Theory, InlineData(""), InlineData("model.safetensors")]
    public void A_folder_opens_by_itself_and_by_its_weights(string name)
    {
        using ModelFile file = ModelFile.Open(Path.Combine(Folder, name));
        Assert.Equal(("safetensors", "hf", 4096L), (file.Format, file.FallbackName, file.TokenCount));
        Assert.Equal(4096, Tokenizer.Open(Path.Combine(Folder, name)).VocabularySize);
    }

    private static string Hash(LoadedModel model, KernelSet kernels, int[] ids)
    {
        using var sequence = new SequenceRun(model, kernels, KvType.F32, ids.Length + 4);
        float[] logits = sequence.Append(ids);
        byte[] bytes = [.. MemoryMarshal.AsBytes(logits.AsSpan()), .. MemoryMarshal.AsBytes(sequence.Append([5, 6, 7]).AsSpan())];
        return Convert.ToHexString(SHA256.HashData(bytes));
    }
}
