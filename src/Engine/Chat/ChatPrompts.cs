using Inference.Models;

namespace Inference;

/// <summary>A prompt as text and as the model sees it.</summary>
internal sealed record ChatPrompt(string Text, int[] Ids);

/// <summary>
/// Makes the prompts of one conversation. A model may write a text in other tokens than the tokenizer would choose; what it has written stays as it
/// is in the prompts that follow, so that they begin with the tokens that are in the cache.
/// </summary>
internal sealed class ChatPrompts(Tokenizer tokenizer, IChatTemplate template, ChatTemplateOptions templateOptions)
{
    private ChatPrompt known = new("", []);

    /// <summary>Renders and encodes. Text of messages is text, whatever it spells, unless <paramref name="parseSpecial"/>.</summary>
    /// <exception cref="TemplateException">The template refuses the conversation.</exception>
    public ChatPrompt Make(IReadOnlyList<ChatMessage> messages, bool parseSpecial)
    {
        RenderedPrompt rendered = template.Render(messages, templateOptions);
        if (known.Ids.Length > 0 && rendered.Text.StartsWith(known.Text, StringComparison.Ordinal))
        {
            int[] rest = Encode(rendered, known.Text.Length, parseSpecial);
            // Behind a special token the text is encoded as it would be in the whole.
            if (rest.Length > 0 && tokenizer.IsSpecial(rest[0])) return new ChatPrompt(rendered.Text, [.. known.Ids, .. rest]);
        }
        return new ChatPrompt(rendered.Text, Encode(rendered, 0, parseSpecial));
    }

    /// <summary>Notes how an answer was written.</summary>
    /// <param name="prompt">What was answered.</param>
    /// <param name="text">All of the answer's text.</param>
    /// <param name="ids">Its tokens. They are taken where they spell the text and nothing else: no special tokens, no part of a character.</param>
    public void Remember(ChatPrompt prompt, string text, IReadOnlyList<int> ids)
    {
        StreamDecoder decoder = tokenizer.CreateStream(skipSpecial: false, continuation: true);
        var spelled = new System.Text.StringBuilder();
        foreach (int id in ids)
            if (id < tokenizer.VocabularySize) spelled.Append(decoder.Append(id));
        known = spelled.Append(decoder.Flush()).Equals(text) ? new ChatPrompt(prompt.Text + text, [.. prompt.Ids, .. ids]) : prompt;
    }

    /// <summary>Knows what the other one knows.</summary>
    public void Continue(ChatPrompts other) => known = other.known;

    private int[] Encode(RenderedPrompt prompt, int start, bool parseSpecial) =>
        parseSpecial ? tokenizer.Encode(prompt.Text[start..], addSpecial: false, parseSpecial: true) : tokenizer.EncodePrompt(prompt, start);
}
