namespace Inference.Cli;

/// <summary>Prints an answer as it is made, and on a terminal a summary behind it.</summary>
/// <param name="console">Where to.</param>
/// <param name="showThinking">Whether what the model thinks is printed too: dim on a terminal, else between tags.</param>
internal sealed class AnswerPrinter(CliConsole console, bool showThinking)
{
    private const string Dim = "\e[2m", Normal = "\e[0m";

    private bool thought, endsWithNewline;

    /// <summary>Reads the reply to its end. An answer that is stopped or fails ends its line too.</summary>
    public async Task PrintAsync(ChatReply reply)
    {
        (thought, endsWithNewline) = (false, true);
        try
        {
            await foreach (GeneratedToken token in reply.ConfigureAwait(false))
            {
                if (showThinking && token.Reasoning.Length > 0) WriteThought(token.Reasoning);
                if (token.Text.Length > 0) WriteAnswer(token.Text);
            }
        }
        finally
        {
            EndThought();
            // An empty answer is an empty line, so that answers in a pipe can be counted.
            if (!endsWithNewline || reply is { Text: "", FinishReason: FinishReason.Stop or FinishReason.Length }) console.Out.Write('\n');
            console.Out.Flush();
        }
    }

    /// <summary>
    /// What the turn cost, for the person at a terminal. The rate is the engine's own, from its statistics before and after the turn: this program
    /// may read an answer later than it was made.
    /// </summary>
    public void PrintSummary(ChatReply reply, EngineStatistics before, EngineStatistics after)
    {
        long steps = after.DecodeTokens - before.DecodeTokens;
        string rate = steps > 0 ? $" at {steps / (after.DecodeSeconds - before.DecodeSeconds):F0}/s" : "";
        console.WriteNote($"[{reply.PromptTokenIds.Count} prompt tokens, {reply.CachedTokens} of them cached; {reply.TokenIds.Count} tokens{rate}, {reply.FinishReason?.ToString().ToLowerInvariant()}]");
    }

    private void WriteThought(string text)
    {
        if (!thought) Write(console.OutputIsTerminal ? Dim : "<think>\n");
        thought = true;
        Write(text);
    }

    private void WriteAnswer(string text)
    {
        EndThought();
        Write(text);
    }

    private void EndThought()
    {
        if (!thought) return;
        thought = false;
        if (!endsWithNewline) Write("\n");
        Write(console.OutputIsTerminal ? Normal : "</think>\n");
        endsWithNewline = true;
    }

    private void Write(string text)
    {
        console.Out.Write(text);
        console.Out.Flush();
        endsWithNewline = text.EndsWith('\n');
    }
}
