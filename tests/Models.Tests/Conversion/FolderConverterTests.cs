using Inference.Kernels;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

public class FolderConverterTests
{
    /// <summary>The shipped file was made of the same weights by another program, tools/SampleModel/making.</summary>
    [Fact]
    public void The_sample_models_folder_becomes_the_shipped_file_tensor_by_tensor()
    {
        string folder = SharedData.Require("models", "kjv-5m", "hf");
        using var temporary = new TempFolder();
        using HuggingFaceFolder source = HuggingFaceFolder.Open(folder);
        FolderConverter.Convert(source, temporary.File("c.gguf"), new(FolderConverter.MixOf(source)) { Threads = 2 });
        using GgufFile made = GgufFile.Open(temporary.File("c.gguf")), shipped = GgufFile.Open(SharedData.Require("models", "kjv-5m", "kjv-5m-f16.gguf"));
        Assert.Equal(shipped.Tensors.Select(t => (t.Name, t.TypeName, t.Shape)), made.Tensors.Select(t => (t.Name, t.TypeName, t.Shape)));
        foreach (StoredTensor tensor in shipped.Tensors)
        {
            TensorSource a = shipped.Source(tensor), b = made.Source(made.FindTensor(tensor.Name)!);
            for (int row = 0; row < a.Rows; row++) Assert.True(a.Row(row).SequenceEqual(b.Row(row)), $"{tensor.Name}, row {row}");
        }
        // What is about the model is the same; name, licence and description are not in the folder.
        string[] described = ["general.name", "general.basename", "general.size_label", "general.description", "general.license", "general.languages", "general.alignment"];
        Assert.Equal(shipped.Metadata.Keys.Except(described).Order(), made.Metadata.Keys.Except(described).Order());
        foreach (string key in shipped.Metadata.Keys.Except(described)) Assert.True(shipped.RawValue(key).SequenceEqual(made.RawValue(key)), $"{key}: {shipped.Describe(key)} and {made.Describe(key)}");
    }

    [Theory]
    [InlineData("gpt2", "gpt-2"), InlineData("llama3_1", "llama-bpe"), InlineData("qwen3", "qwen2"), InlineData("smollm_style", "smollm"), InlineData("deepseek_v3", "deepseek-v3")]
    [InlineData("gptoss", "gpt-4o"), InlineData("llama2", "default"), InlineData("mistral_v1", "default"), InlineData("phi3_style", "default")]
    public void Tokenizers_get_the_name_and_the_ids_that_they_have(string name, string pre)
    {
        string folder = SharedData.Require("conformance", "tokenizers", name), json = Path.Combine(folder, TokenizerJson.FileName);
        Assert.SkipUnless(File.Exists(json), $"{name} has no {TokenizerJson.FileName}");
        TokenizerDefinition definition = TokenizerJson.Read(json);
        VocabularyData vocabulary = FolderVocabulary.Read(folder, definition.Tokens.Length + 3);
        Assert.Equal(pre, vocabulary.Pre);
        Assert.Equal(definition.Tokens.Length + 3, vocabulary.Tokens.Length);
        Assert.Equal(vocabulary.Tokens.Length, vocabulary.Tokens.Distinct().Count());
        Tokenizer own = new(definition), stored = new(GgufTokenizer.Define(vocabulary));
        foreach (string text in (string[])["Hello world, it's 2024!", "  两个 espacios\n\n\tand tabs\r\n", "a", "naïve café 😀", "for (int i = 0; i < 10; ++i) { x[i] += 1.5e-3; }"])
            Assert.Equal(own.Encode(text, addSpecial: true, parseSpecial: false), stored.Encode(text, addSpecial: true, parseSpecial: false));
    }
}
