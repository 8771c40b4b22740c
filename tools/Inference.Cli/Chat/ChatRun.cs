namespace Inference.Cli;

/// <summary>The conversation itself: reads messages and commands, prints answers, until the input ends.</summary>
internal sealed class ChatRun(CliConsole console, InferenceEngine engine, ChatSession session, AnswerPrinter printer)
{
    private const string Help = """"
        /regen        answer the last message anew
        /reset        begin again with the system prompt
        /save FILE    write the conversation as JSON
        /load FILE    go on with a conversation from a file
        /help         this list
        /exit         leave, like Ctrl-D or Ctrl-C twice
        A line that ends in \ goes on in the next; """ begins a block of lines and """ ends it; // begins a message with /.
        Ctrl-C stops an answer.
        """";

    private bool failed;

    /// <returns>The exit code; in a pipe a turn or command that failed counts.</returns>
    public async Task<int> RunAsync()
    {
        using var interrupt = new ChatInterrupt(console.Cancellation);
        // In a pipe there is no prompt to come back to: Ctrl-C ends the program as in any other command.
        if (console.InputIsTerminal) console.Interrupt = interrupt.Handle;
        try
        {
            console.WriteNote("[/help lists commands, Ctrl-D leaves]");
            await ConverseAsync(interrupt).ConfigureAwait(false);
        }
        finally
        {
            console.Interrupt = null;
        }
        return failed && !console.InputIsTerminal ? ExitCode.Failed : ExitCode.Done;
    }

    private async Task ConverseAsync(ChatInterrupt interrupt)
    {
        var input = new ChatInput(console);
        while (true)
        {
            ChatLine? line;
            try
            {
                line = await input.ReadAsync(interrupt.BeginInput()).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!console.Cancellation.IsCancellationRequested)
            {
                console.Error.WriteLine("\n[Ctrl-C again, or Ctrl-D, leaves]");
                continue;
            }
            if (line is null && console.InputIsTerminal) console.Error.WriteLine();
            if (line is not { } said || said.IsCommand && said.Text == "/exit") return;
            interrupt.Forget();
            await TryAsync(said, interrupt.BeginAnswer()).ConfigureAwait(false);
        }
    }

    /// <summary>What fails is reported, and the conversation goes on without it.</summary>
    private async Task TryAsync(ChatLine line, CancellationToken cancellation)
    {
        try
        {
            if (!line.IsCommand) await AnswerAsync(session.SendAsync(line.Text, cancellationToken: cancellation)).ConfigureAwait(false);
            else await RunCommandAsync(line.Text, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!console.Cancellation.IsCancellationRequested)
        {
            console.WriteNote("[stopped]");
        }
        catch (Exception e) when (e is InferenceException or TemplateException or UsageException or ArgumentException || e is IOException and not BrokenPipeException or UnauthorizedAccessException)
        {
            failed = true;
            console.WriteError(ErrorLine.Of(e).Line);
        }
    }

    private async Task AnswerAsync(ChatReply reply)
    {
        bool system = session.Messages is [{ Role: "system" or "developer" }, ..];
        if (reply.DroppedMessages > 0)
            console.Error.WriteLine($"[the context is full: the {reply.DroppedMessages} oldest messages are left out from here on{(system ? ", the system prompt stays" : "")}]");
        EngineStatistics before = engine.GetStatistics();
        await printer.PrintAsync(reply).ConfigureAwait(false);
        printer.PrintSummary(reply, before, engine.GetStatistics());
    }

    private async Task RunCommandAsync(string line, CancellationToken cancellation)
    {
        string[] parts = line.Split(' ', 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string? argument = parts.Length > 1 ? parts[1] : null;
        switch (parts[0])
        {
            case "/help":
                console.Error.WriteLine(Help);
                break;
            case "/reset":
                session.Reset();
                console.WriteNote("[the conversation begins again]");
                break;
            case "/regen":
                if (!session.Messages.Any(m => m.Role == "user")) throw new UsageException("there is no message to answer yet");
                await AnswerAsync(session.RegenerateAsync(cancellationToken: cancellation)).ConfigureAwait(false);
                break;
            case "/save":
                ChatFile.Save(argument ?? throw new UsageException("/save needs a file"), engine.ModelName, session.Messages);
                console.WriteNote($"[saved {session.Messages.Count} messages]");
                break;
            case "/load":
                session.Load(ChatFile.Load(argument ?? throw new UsageException("/load needs a file")));
                console.WriteNote($"[loaded {session.Messages.Count} messages]");
                break;
            default:
                throw new UsageException($"unknown command '{parts[0]}' (/help lists them)");
        }
    }
}
