namespace Inference.Models.Templates;

/// <summary>
/// A template in the language of Jinja, as Hugging Face sets it up for chat, parsed once. Immutable and safe for concurrent use. Rendering reads no files, runs
/// no .NET code but its own, and is bounded by a <see cref="Budget"/>.
/// </summary>
internal sealed class Template
{
    private readonly Statement[] body;
    private readonly Dictionary<string, int> names;
    private RenderState? spare = new();

    private Template(string source, Statement[] body, Dictionary<string, int> names) => (Source, this.body, this.names) = (source, body, names);

    /// <summary>The text that was parsed.</summary>
    public string Source { get; }

    /// <exception cref="TemplateException">It is malformed; names the line.</exception>
    public static Template Parse(string source)
    {
        Statement[] body = Parser.Parse(source, out Dictionary<string, int> names);
        return new Template(source, body, names);
    }

    /// <summary>Renders with the given variables.</summary>
    /// <param name="variables">By name; those that the template does not mention are not looked at.</param>
    /// <param name="clock">What <c>strftime_now</c> reads.</param>
    /// <exception cref="TemplateException">The template fails or refuses; names the line.</exception>
    public RenderedPrompt Render(IEnumerable<KeyValuePair<string, Value>> variables, TimeProvider clock)
    {
        // A state that fails is dropped, so that none is used again half way.
        RenderState state = Interlocked.Exchange(ref spare, null) ?? new RenderState();
        state.Begin(clock);
        try
        {
            foreach ((string name, Value value) in variables)
                if (names.TryGetValue(name, out int id)) state.Root.Set(id, value);
            Statement.Run(state, body);
            var prompt = new RenderedPrompt(state.Output.ToString(), state.Output.UserRanges);
            state.End();
            spare = state;
            return prompt;
        }
        catch (TemplateException e) when (e.Line == 0)
        {
            throw new TemplateException(e.Reason, state.Line, e);
        }
        catch (InsufficientExecutionStackException e)
        {
            throw new TemplateException("expressions, macros or values are nested too deeply", state.Line, e);
        }
        finally
        {
            if (spare != state) state.End();
        }
    }
}
