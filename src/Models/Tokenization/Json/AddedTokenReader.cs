namespace Inference.Models;

/// <summary>Reads the <c>added_tokens</c> of a tokenizer.json, and those that only tokenizer_config.json names.</summary>
/// <param name="most">Ids are below this.</param>
internal sealed class AddedTokenReader(int most)
{
    private readonly List<(AddedToken Token, bool Normalized, bool Special)> tokens = [];
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);

    /// <summary>All of them; of equal spellings the first.</summary>
    public IReadOnlyList<(AddedToken Token, bool Normalized, bool Special)> Tokens => tokens;

    /// <param name="list">The array.</param>
    /// <param name="ids">The model's vocabulary, whose id counts where both have the token.</param>
    public void ReadList(JsonPart list, Dictionary<string, int> ids)
    {
        if (!list.Exists) return;
        foreach (JsonPart part in list.Elements()) Add(part, part["id"].Integer(), ids);
    }

    /// <param name="members">The object of tokenizer_config.json, from id to token.</param>
    /// <param name="ids">The model's vocabulary.</param>
    public void ReadConfiguration(JsonPart members, Dictionary<string, int> ids)
    {
        if (!members.Exists) return;
        foreach ((string name, JsonPart part) in members.Members())
            Add(part, IdOf(name, part), ids);
    }

    /// <summary>The id that a member's name spells.</summary>
    public static int IdOf(string name, JsonPart part) =>
        int.TryParse(name, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int id) ? id : throw part.Error("an id as the name");

    /// <summary>What is matched in the text as it is, or in the normalised text.</summary>
    public AddedTokens? Make(bool normalized, Normalizer? normalizer)
    {
        var chosen = new List<AddedToken>();
        foreach ((AddedToken token, bool tokenIsNormalized, bool _) in tokens)
        {
            if (tokenIsNormalized != normalized) continue;
            string text = Spelling(token, tokenIsNormalized, normalizer);
            if (text.Length > 0) chosen.Add(token with { Text = text });
        }
        return chosen.Count == 0 ? null : new AddedTokens(chosen);
    }

    /// <summary>What is searched for, and what the token decodes to: the normalised text of a token that is searched for in normalised text.</summary>
    public static string Spelling(AddedToken token, bool normalized, Normalizer? normalizer) => normalized && normalizer is not null ? normalizer.Apply(token.Text) : token.Text;

    private void Add(JsonPart part, int id, Dictionary<string, int> ids)
    {
        if (id < 0 || id >= most) throw part["id"].Error($"an id below {most}");
        string text = part["content"].Text();
        if (text.Length == 0 || !seen.Add(text)) return;
        bool special = part["special"].FlagOr(false);
        var token = new AddedToken(ids.GetValueOrDefault(text, id), text)
        {
            TakesSpaceBefore = part["lstrip"].FlagOr(false),
            TakesSpaceAfter = part["rstrip"].FlagOr(false),
            WholeWord = part["single_word"].FlagOr(false),
        };
        tokens.Add((token, part["normalized"].FlagOr(!special), special));
    }
}
