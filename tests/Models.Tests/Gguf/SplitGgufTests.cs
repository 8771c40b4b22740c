using Inference.Kernels;

namespace Inference.Models.Tests;

/// <summary>Models in several GGUF files: they load as one from any part, and whatever does not belong together is one error.</summary>
public class SplitGgufTests
{
    private const int Parts = 3;

    /// <summary>Deals the tensors of a model out to files of a new folder; the first alone has the metadata.</summary>
    private sealed class Split : IDisposable
    {
        public Split(string architecture, bool firstIsEmpty = false)
        {
            Directory.CreateDirectory(Folder);
            Writers[0] = TinyModel.Writer(architecture);
            GgufWriter.Tensor[] tensors = [.. Writers[0].Tensors];
            Writers[0].Tensors.Clear();
            for (int i = 1; i < Parts; i++) Writers[i] = new GgufWriter();
            for (int i = 0; i < tensors.Length; i++) Writers[firstIsEmpty ? 1 + i % (Parts - 1) : i % Parts].Tensors.Add(tensors[i]);
            for (int i = 0; i < Parts; i++) Writers[i].Set("split.no", (ushort)i).Set("split.count", (ushort)Parts).Set("split.tensors.count", tensors.Length);
        }

        public string Folder { get; } = Directory.CreateTempSubdirectory("inference-split").FullName;

        public GgufWriter[] Writers { get; } = new GgufWriter[Parts];

        public string PathOf(int number, int count = Parts) => Path.Combine(Folder, $"tiny-{number:d5}-of-{count:d5}.gguf");

        public Split Save()
        {
            for (int i = 0; i < Parts; i++) File.WriteAllBytes(PathOf(i + 1), Writers[i].ToArray());
            return this;
        }

        public ModelFormatException Refused(int number = 1)
        {
            Save();
            var error = Assert.Throws<ModelFormatException>(() => ModelFile.Open(PathOf(number)).Dispose());
            Assert.DoesNotContain('\n', error.Message);
            return error;
        }

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }

    [Theory, InlineData("llama", false), InlineData("qwen3", true)]
    public void Any_part_loads_the_whole(string architecture, bool firstIsEmpty)
    {
        using Split split = new Split(architecture, firstIsEmpty).Save();
        using var whole = new TempFile(TinyModel.Writer(architecture).ToArray());
        float[] expected = Logits(whole.Path);
        for (int number = 1; number <= Parts; number++)
        {
            Assert.Equal(expected, Logits(split.PathOf(number)));
            Inspection inspection = Inspection.Of(split.PathOf(number));
            Assert.Equal((null, "GGUF v3 in 3 parts", architecture, Inspection.Of(whole.Path).ParameterCount), (inspection.Refusal, inspection.Format, inspection.Architecture, inspection.ParameterCount));
            Assert.Equal(Enumerable.Range(1, Parts).Sum(n => new FileInfo(split.PathOf(n)).Length), inspection.FileBytes);
        }
    }

    [Fact]
    public void Missing_parts_are_named()
    {
        using Split split = new Split("llama").Save();
        File.Delete(split.PathOf(3));
        Assert.Equal($"{split.PathOf(1)}: split.count: expected 3 parts beside each other, found 1 missing: tiny-00003-of-00003.gguf", Assert.Throws<ModelFormatException>(() => ModelFile.Open(split.PathOf(1))).Message);
        File.Delete(split.PathOf(1));
        Assert.Equal("2 missing: tiny-00001-of-00003.gguf, tiny-00003-of-00003.gguf", Assert.Throws<ModelFormatException>(() => ModelFile.Open(split.PathOf(2))).Found);
    }

    [Fact]
    public void A_file_without_its_name_is_refused()
    {
        using Split split = new Split("llama").Save();
        string renamed = Path.Combine(split.Folder, "model.gguf");
        File.Copy(split.PathOf(1), renamed);
        Assert.Equal(("file name", "model.gguf"), Key(Assert.Throws<ModelFormatException>(() => ModelFile.Open(renamed))));
        File.Copy(split.PathOf(1), split.PathOf(1, 4));
        Assert.Equal(("split.count", "3"), Key(Assert.Throws<ModelFormatException>(() => ModelFile.Open(split.PathOf(1, 4)))));
    }

    [Fact]
    public void Parts_of_other_models_are_refused()
    {
        using (var split = new Split("llama"))
        {
            split.Writers[1].Set("split.no", (ushort)2);
            Assert.Equal((split.PathOf(2), "split.no"), (split.Refused().File, split.Refused().Key));
        }
        using (var split = new Split("llama"))
        {
            split.Writers[2].Set("split.count", (ushort)5);
            Assert.Equal((split.PathOf(3), "split.count", "5"), (split.Refused().File, split.Refused().Key, split.Refused().Found));
        }
        using (var split = new Split("llama"))
        {
            split.Writers[2].Remove("split.count");
            Assert.Equal("split.count", split.Refused().Key);
        }
        using (var split = new Split("llama"))
        {
            split.Writers[1].Tensors.RemoveAt(0);
            Assert.Equal("split.tensors.count", split.Refused(2).Key);
        }
        using (var split = new Split("llama"))
        {
            split.Writers[1].Tensors.Add(split.Writers[0].Tensors[0]);
            Assert.Equal("a second one; the first is in part 1", split.Refused().Found);
        }
        using (var split = new Split("llama"))
        {
            split.Writers[0].Set("split.count", 4_000_000_000u);
            Assert.Equal(("split.count", "4000000000"), Key(split.Refused()));
        }
    }

    [Fact]
    public void Tokenizers_and_templates_come_from_the_first_part()
    {
        using var split = new Split("llama");
        split.Writers[0].Set("tokenizer.chat_template", "{{ messages[0].content }}").Set("tokenizer.ggml.model", "llama").Set("tokenizer.ggml.scores", new float[8]);
        split.Save();
        Assert.Equal(8, Tokenizer.Open(split.PathOf(3)).VocabularySize);
        Assert.Equal("x", Templates.ChatTemplate.Open(split.PathOf(2)).Render(new[] { new ChatMessage("user", "x") }).Text);
    }

    private static (string, string) Key(ModelFormatException error) => (error.Key, error.Found);

    private static float[] Logits(string path)
    {
        var kernels = new ReferenceKernels();
        using LoadedModel model = LoadedModel.Load(path, kernels);
        using var sequence = new SequenceRun(model, kernels, KvType.F32, 16);
        return sequence.Append([1, 3, 4]);
    }
}
