using System.Runtime.InteropServices;

namespace Inference;

public sealed partial class InferenceEngine
{
    /// <summary>The tokens of a text.</summary>
    /// <param name="text">Any string; an unpaired surrogate counts as U+FFFD.</param>
    /// <param name="addSpecial">Puts the model's begin-of-text token in front, and its end token behind, where the model wants them. Default true, as for a prompt.</param>
    /// <param name="parseSpecial">Takes text that spells a special token, such as <c>&lt;|im_end|&gt;</c>, as that token. Default false: it is plain text.</param>
    public int[] Tokenize(string text, bool addSpecial = true, bool parseSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        return tokenizer.Encode(text, addSpecial, parseSpecial);
    }

    /// <summary>The text of tokens; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="tokenIds">Ids below <see cref="VocabularySize"/>.</param>
    /// <param name="skipSpecial">Leaves special tokens out instead of spelling them. Default true.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public string Detokenize(IEnumerable<int> tokenIds, bool skipSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(tokenIds);
        List<int> ids = [.. tokenIds];
        return tokenizer.Decode(CollectionsMarshal.AsSpan(ids), skipSpecial);
    }
}
