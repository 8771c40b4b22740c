namespace Inference.Models.Templates;

/// <summary>Finds chat templates in the files of a model.</summary>
internal static class ChatTemplateFiles
{
    /// <summary>Metadata key of the template in a GGUF file; named ones follow behind a dot.</summary>
    public const string Key = "tokenizer.chat_template";

    /// <summary>The template as a file of its own, which wins over tokenizer_config.json.</summary>
    public const string JinjaName = "chat_template.jinja";

    private const string MoreTemplates = "additional_chat_templates", OfProcessor = "chat_template.json";

    private static readonly string[] TokenNames = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    /// <summary>The templates of a GGUF file, or null where it has none.</summary>
    /// <exception cref="ModelFormatException">A key is of the wrong type.</exception>
    public static ChatTemplate? FromGguf(GgufFile file)
    {
        var sources = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string key in file.Metadata.Keys)
        {
            string? name = key == Key ? ChatTemplate.Default : key.StartsWith(Key + ".", StringComparison.Ordinal) ? key[(Key.Length + 1)..] : null;
            if (name is not null && file.TryGetString(key, out string? source)) sources[name] = source;
        }
        if (sources.Count == 0) return null;
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        string[] spellings = file.TryGetStringArray(VocabularyData.Key("tokens")) ?? [];
        foreach ((string name, string key) in ((string, string)[])[("bos_token", "bos_token_id"), ("eos_token", "eos_token_id"), ("unk_token", "unknown_token_id"), ("pad_token", "padding_token_id")])
            if (file.TryGetInteger(VocabularyData.Key(key), out long id) && id >= 0 && id < spellings.Length) tokens[name] = spellings[id];
        return new ChatTemplate(file.Path, sources, tokens);
    }

    /// <summary>The templates in a folder with Hugging Face's files, or null where there are none.</summary>
    /// <exception cref="ModelFormatException">A file is damaged.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ChatTemplate? FromFolder(string folder)
    {
        var sources = new Dictionary<string, string>(StringComparer.Ordinal);
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in (string[])["special_tokens_map.json", TokenizerJson.ConfigurationName])
        {
            string path = Path.Combine(folder, name);
            if (!File.Exists(path)) continue;
            JsonPart configuration = JsonFile.Read(path);
            foreach (string token in TokenNames)
                if (configuration[token] is { Exists: true } part) tokens[token] = part.Value.ValueKind == System.Text.Json.JsonValueKind.Object ? part["content"].Text() : part.Text();
            ReadTemplates(configuration["chat_template"], sources);
        }
        if (Path.Combine(folder, OfProcessor) is var processor && File.Exists(processor)) ReadTemplates(JsonFile.Read(processor)["chat_template"], sources);
        if (Path.Combine(folder, JinjaName) is var single && File.Exists(single)) sources[ChatTemplate.Default] = File.ReadAllText(single);
        if (Path.Combine(folder, MoreTemplates) is var more && Directory.Exists(more))
            foreach (string file in Directory.EnumerateFiles(more, "*.jinja")) sources[Path.GetFileNameWithoutExtension(file)] = File.ReadAllText(file);
        return sources.Count > 0 ? new ChatTemplate(folder, sources, tokens) : null;
    }

    /// <summary>One template, or a list of objects with name and template.</summary>
    private static void ReadTemplates(JsonPart part, Dictionary<string, string> sources)
    {
        if (!part.Exists) return;
        if (part.Value.ValueKind == System.Text.Json.JsonValueKind.Array)
            foreach (JsonPart template in part.Elements()) sources[template["name"].Text()] = template["template"].Text();
        else sources[ChatTemplate.Default] = part.Text();
    }
}
