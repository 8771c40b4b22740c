namespace Inference.Models.Tests;

/// <summary>SentencePiece's own file, and what the files beside it add.</summary>
public class SentencePieceModelTests
{
    private static readonly (string, float, int)[] Pieces = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("▁", -1, 1), ("a", -2, 1), ("b", -3, 1), ("▁a", -0.5f, 1), ("ab", -0.25f, 1)];

    private static ModelFormatException Refused(byte[] bytes)
    {
        using var file = new TempFile(bytes);
        var error = Assert.Throws<ModelFormatException>(() => SentencePieceModel.Read(file.Path));
        Assert.Equal(file.Path, error.File);
        return error;
    }

    [Fact]
    public void Pieces_ids_and_flags_are_read()
    {
        using var file = new TempFile(SentencePieceFile.Write(Pieces, kind: 2, prefix: false));
        VocabularyData data = SentencePieceModel.Read(file.Path);
        Assert.Equal(Pieces, data.Tokens.Select((token, id) => (token, data.Scores![id], (int)data.Types[id])));
        Assert.Equal(("llama", 0, 1, 2, (int?)null, false, false), (data.Model, data.UnknownId, data.BosId, data.EosId, data.PaddingId, data.AddSpacePrefix, data.RemoveExtraSpaces));
        using var unigram = new TempFile(SentencePieceFile.Write(Pieces, kind: 1, map: [1, 2, 3]));
        Assert.Equal(("t5", true), (SentencePieceModel.Read(unigram.Path).Model, SentencePieceModel.Read(unigram.Path).AddSpacePrefix));
        Assert.Equal([1, 2, 3], SentencePieceModel.Read(unigram.Path).CharacterMap);
        // Fields that nobody knows yet are passed over.
        using var later = new TempFile([.. SentencePieceFile.Write(Pieces, kind: 2), .. SentencePieceFile.BytesOf(200, [1, 2]), .. SentencePieceFile.NumberOf(5000, -1), 9 << 3 | 1, 1, 2, 3, 4, 5, 6, 7, 8]);
        Assert.Equal(8, SentencePieceModel.Read(later.Path).Tokens.Length);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        byte[] whole = SentencePieceFile.Write(Pieces, kind: 2);
        for (int length = 0; length < whole.Length; length++)
        {
            // A message may end after any field, and so may a shorter file.
            using var file = new TempFile(whole[..length]);
            try
            {
                Assert.True(SentencePieceModel.Read(file.Path).Tokens.Length <= 8);
            }
            catch (ModelFormatException)
            {
            }
        }
        Assert.Equal("pieces", Refused([]).Key);
        Assert.Equal("file", Refused([0]).Key);
        Assert.Equal("file", Refused([1 << 3 | 3]).Key);
        Assert.Equal("file", Refused([.. Enumerable.Repeat((byte)0xff, 12)]).Key);
        Assert.Equal("file", Refused([1 << 3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).Key);
        Assert.Equal("trainer_spec.model_type", Refused(SentencePieceFile.Write(Pieces, kind: 3)).Key);
        Assert.Equal("trainer_spec.eos_id", Refused(SentencePieceFile.Write(Pieces, kind: 2, eos: 8)).Key);
        Assert.Equal("trainer_spec.eos_id", Refused(SentencePieceFile.Write(Pieces, kind: 2, eos: -2)).Key);
        Assert.Equal("normalizer_spec.precompiled_charsmap", Refused(SentencePieceFile.Write(Pieces, kind: 2, map: [1])).Key);
        Assert.Equal("pieces[8].type", Refused(SentencePieceFile.Write([.. Pieces, ("x", 0, 7)], kind: 2)).Key);
        Assert.Equal("pieces[8].score", Refused(SentencePieceFile.Write([.. Pieces, ("x", float.NaN, 1)], kind: 2)).Key);
    }

    [Fact]
    public void Configurations_add_tokens_and_flags()
    {
        using var folder = new TinyFolder("llama");
        folder.Remove("tokenizer.json").Set("tokenizer.model", SentencePieceFile.Write(Pieces[..6], kind: 2));
        folder.Set("tokenizer_config.json", """{"bos_token":"<s>","eos_token":"<|im_end|>","add_bos_token":false,"added_tokens_decoder":{"0":{"content":"<unk>","special":true},"6":{"content":"<|im_end|>","special":true}}}""");
        folder.Set("added_tokens.json", """{"<think>":7}""");
        using ModelFile file = ModelFile.Open(folder.Save());
        Tokenizer tokenizer = file.ReadTokenizer();
        Assert.Equal((8, 1, 6), (tokenizer.VocabularySize, tokenizer.BosId, tokenizer.EosId));
        Assert.Equal([3, 4, 6, 7], tokenizer.Encode("a<|im_end|><think>", addSpecial: true, parseSpecial: true));
        Assert.Equal([2, 6, 7], tokenizer.EndOfGeneration.Order());
        VocabularyData data = FolderTokenizer.ReadSentencePiece(folder.Path, 8);
        Assert.Equal([TokenType.Unknown, TokenType.Control, TokenType.UserDefined], [data.Types[0], data.Types[6], data.Types[7]]);
        folder.Set("added_tokens.json", """{"<think>":8}""");
        Assert.Equal("pieces", FolderTests.Refused(folder.Path).Key);
        folder.Set("added_tokens.json", """{"<think>":-1}""");
        Assert.Equal("pieces", FolderTests.Refused(folder.Path).Key);
        folder.Set("added_tokens.json", "{}").Set("tokenizer_config.json", """{"bos_token":"<none>"}""");
        Assert.Equal("bos_token", FolderTests.Refused(folder.Path).Key);
    }
}
