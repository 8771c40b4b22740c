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

    public static FrozenSet<int> Of(VocabularyData vocabulary)
    {
        var ids = new HashSet<int>();
        foreach (int? id in (ReadOnlySpan<int?>)[vocabulary.EosId, vocabulary.EotId, vocabulary.EomId])
            if (id is { } value) ids.Add(value);
        // A normal token may spell the same by chance: a model of markup writes </s> as text.
        for (int id = 0; id < vocabulary.Tokens.Length; id++)
            if (vocabulary.Types[id] == TokenType.Control && Spellings.Contains(vocabulary.Tokens[id])) ids.Add(id);
        return ids.ToFrozenSet();
    }
}
