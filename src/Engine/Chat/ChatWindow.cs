namespace Inference;

/// <summary>Which part of a conversation fits the context: the system prompt, and as many of the last turns as leave room for an answer.</summary>
/// <param name="prompts">Makes the prompts that are tried.</param>
/// <param name="limit">Tokens of the longest sequence.</param>
internal sealed class ChatWindow(ChatPrompts prompts, int limit)
{
    /// <summary>The prompt, and the messages behind the system prompt that it leaves out.</summary>
    /// <param name="messages">The whole conversation.</param>
    /// <param name="dropped">Messages that were left out before; they stay out, so that the beginning of the prompt stays the same.</param>
    /// <param name="reserve">Tokens to leave free. A last turn that leaves fewer is taken as long as one is left.</param>
    /// <param name="parseSpecial">Whether messages may spell special tokens.</param>
    /// <exception cref="InferenceException">Not even the last turn fits.</exception>
    public (ChatPrompt Prompt, int Dropped) Fit(IReadOnlyList<ChatMessage> messages, int dropped, int reserve, bool parseSpecial)
    {
        int system = SystemLength(messages);
        List<int> starts = Starts(messages, system + dropped);
        ChatPrompt prompt = Make(starts[0]);
        if (prompt.Ids.Length + reserve <= limit) return (prompt, dropped);

        int last = starts.Count - 1, needed = FirstThatFits(Math.Min(1, last), last, limit - reserve);
        // Dropping changes the beginning of the prompt, and all of it is computed anew. So that not every later turn costs that, up to half of
        // what could stay goes too where this leaves a quarter of the context.
        int first = starts[FirstThatFits(needed, needed + (last - needed) / 2, limit / 4 * 3 - reserve)];
        prompt = Make(first);
        if (prompt.Ids.Length >= limit)
            throw new InferenceException($"the last message and the system prompt have {prompt.Ids.Length} tokens and the context {limit}: no room is left for an answer");
        return (prompt, first - system);

        // By halves: the shorter the conversation the shorter the prompt. The last one where none fits.
        int FirstThatFits(int low, int high, int room)
        {
            while (low < high)
            {
                int middle = (low + high) / 2;
                if (Make(starts[middle]).Ids.Length <= room) high = middle;
                else low = middle + 1;
            }
            return low;
        }

        ChatPrompt Make(int start) => prompts.Make(start == system ? messages : [.. messages.Take(system), .. messages.Skip(start)], parseSpecial);
    }

    /// <summary>Messages at the beginning that instruct the model.</summary>
    public static int SystemLength(IReadOnlyList<ChatMessage> messages)
    {
        int count = 0;
        while (count < messages.Count && messages[count].Role is "system" or "developer") count++;
        return count;
    }

    /// <summary>Where turns begin: a user's message and everything up to the next one.</summary>
    private static List<int> Starts(IReadOnlyList<ChatMessage> messages, int first)
    {
        List<int> starts = [first];
        for (int i = first + 1; i < messages.Count; i++)
            if (messages[i].Role == "user") starts.Add(i);
        return starts;
    }
}
