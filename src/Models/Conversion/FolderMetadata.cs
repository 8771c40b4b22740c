using Inference.Models.Templates;

namespace Inference.Models;

/// <summary>The metadata of a GGUF file made of a Hugging Face folder, with the keys that llama.cpp reads.</summary>
internal static class FolderMetadata
{
    public static GgufMetadata Of(HuggingFaceFolder folder)
    {
        string architecture = folder.RequireString("general.architecture");
        var metadata = new GgufMetadata();
        metadata.Set("general.architecture", architecture).Set("general.type", "model").Set("general.name", folder.FallbackName);
        foreach ((string key, object value) in folder.Values.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            if (key.StartsWith(architecture + ".", StringComparison.Ordinal)) SetNumber(metadata, key, value);
        // Llama files say how many dims of a head turn: all.
        if (architecture == "llama" && HeadDim(folder, architecture) is { } head) metadata.Set("llama.rope.dimension_count", (uint)head);
        StoredTensor embedding = folder.FindTensor(TensorNames.TokenEmbedding) ?? throw new ModelFormatException(folder.Path, "tensors", folder.OwnName(TensorNames.TokenEmbedding), "none of that name");
        SetVocabulary(metadata, FolderVocabulary.Read(WeightFiles.FolderOf(folder.Path), (int)Math.Min(embedding.Rows, int.MaxValue)));
        if (folder.ReadChatTemplate() is { } template) SetTemplates(metadata, template);
        return metadata;
    }

    private static long? HeadDim(HuggingFaceFolder folder, string architecture)
    {
        if (folder.TryGetInteger($"{architecture}.{DecoderBlock.KeyDim}", out long head)) return head;
        return folder.TryGetInteger($"{architecture}.{DecoderBlock.Hidden}", out long hidden) && folder.TryGetInteger($"{architecture}.{DecoderBlock.Heads}", out long heads) && heads > 0 ? hidden / heads : null;
    }

    private static void SetNumber(GgufMetadata metadata, string key, object value)
    {
        // A count, though it stands among factors.
        if (key.EndsWith(".original_context_length", StringComparison.Ordinal)) value = Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture);
        switch (value)
        {
            case long number when key.EndsWith("epsilon", StringComparison.Ordinal): metadata.Set(key, (float)number); break;
            case long number: metadata.Set(key, checked((uint)number)); break;
            case float number: metadata.Set(key, number); break;
            case bool flag: metadata.Set(key, flag); break;
            case string text: metadata.Set(key, text); break;
        }
    }

    private static void SetVocabulary(GgufMetadata metadata, VocabularyData vocabulary)
    {
        metadata.Set(VocabularyData.Key("model"), vocabulary.Model);
        if (vocabulary.Pre is { } pre) metadata.Set(VocabularyData.Key("pre"), pre);
        metadata.SetArray(VocabularyData.Key("tokens"), vocabulary.Tokens);
        if (vocabulary.Scores is { } scores) metadata.SetArray<float>(VocabularyData.Key("scores"), scores);
        metadata.SetArray<int>(VocabularyData.Key("token_type"), Array.ConvertAll(vocabulary.Types, type => (int)type));
        if (vocabulary.Merges is { } merges) metadata.SetArray(VocabularyData.Key("merges"), merges);
        if (vocabulary.CharacterMap is { } map) metadata.SetArray<byte>(VocabularyData.Key("precompiled_charsmap"), map);
        if (vocabulary.RemoveExtraSpaces is { } remove && vocabulary.Model == GgufTokenizer.Unigram) metadata.Set(VocabularyData.Key("remove_extra_whitespaces"), remove);
        SetId("bos_token_id", vocabulary.BosId);
        SetId("eos_token_id", vocabulary.EosId);
        SetId("unknown_token_id", vocabulary.UnknownId);
        SetId("padding_token_id", vocabulary.PaddingId);
        SetId("eot_token_id", vocabulary.EotId);
        SetId("eom_token_id", vocabulary.EomId);
        SetFlag("add_bos_token", vocabulary.AddBos);
        SetFlag("add_eos_token", vocabulary.AddEos);
        SetFlag("add_space_prefix", vocabulary.AddSpacePrefix);

        void SetId(string name, int? id)
        {
            if (id is { } value) metadata.Set(VocabularyData.Key(name), (uint)value);
        }

        void SetFlag(string name, bool? flag)
        {
            if (flag is { } value) metadata.Set(VocabularyData.Key(name), value);
        }
    }

    private static void SetTemplates(GgufMetadata metadata, ChatTemplate template)
    {
        string[] others = [.. template.Sources.Keys.Where(name => name != ChatTemplate.Default)];
        if (template.Sources.TryGetValue(ChatTemplate.Default, out string? usual)) metadata.Set(ChatTemplateFiles.Key, usual);
        if (others.Length > 0) metadata.SetArray("tokenizer.chat_templates", others);
        foreach (string name in others) metadata.Set($"{ChatTemplateFiles.Key}.{name}", template.Sources[name]);
    }
}
