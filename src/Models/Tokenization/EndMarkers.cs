using System.Collections.Frozen;

namespace Inference.Models;

/// <summary>The ids at which generation stops. Files often name one end id where the model was taught several, so known spellings count too.</summary>
internal static class EndMarkers
{
    private static readonly FrozenSet<string> Spellings = new[]
    {
        "</s>", "<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|end_of_turn|>", "<end_of_turn>", "<EOT>", "<|eot|>",
        "<｜end▁of▁sentence｜>",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <param name="tokens">Spellings.</param>
    /// <param name="types">Types; a normal token may spell the same by chance: a model of markup writes &lt;/s&gt; as text.</param>
    /// <param name="named">Ids that the file names.</param>
    public static FrozenSet<int> Of(string[] tokens, TokenType[] types, params ReadOnlySpan<int?> named)
    {
        var ids = new HashSet<int>();
        foreach (int? id in named)
            if (id is { } value) ids.Add(value);
        for (int id = 0; id < tokens.Length; id++)
            if (types[id] == TokenType.Control && Spellings.Contains(tokens[id])) ids.Add(id);
        return ids.ToFrozenSet();
    }
}
