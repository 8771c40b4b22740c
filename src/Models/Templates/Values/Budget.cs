using System.Runtime.CompilerServices;

namespace Inference.Models.Templates;

/// <summary>
/// What one render may use up. A template comes from a file that anybody may have written, so none can run for long, fill the memory or overflow the stack.
/// </summary>
internal sealed class Budget
{
    /// <summary>Characters of the output, and of any text on the way: far above any model's context.</summary>
    public const int MaxText = 1 << 24;

    /// <summary>Work in characters made; about a second. A conversation of a million characters takes a few million.</summary>
    public const long MaxWork = 1L << 29;

    /// <summary>Work of one iteration, call or list item: 4 million of them exhaust the budget.</summary>
    public const int ItemWork = 128;

    /// <summary>Items of a <c>range</c>, as in Jinja's sandbox.</summary>
    public const int MaxRange = 100_000;

    /// <summary>Macros and recursive loops inside one another.</summary>
    public const int MaxCalls = 256;

    /// <summary>The budget of the render that runs on this thread: comparing and hashing have no other way to it.</summary>
    [ThreadStatic]
    private static Budget? current;

    private long left;
    private int calls;
    private Budget? outer;

    /// <summary>Begins a render on this thread.</summary>
    public void Begin()
    {
        (left, calls) = (MaxWork, 0);
        (outer, current) = (current, this);
    }

    public void End() => current = outer;

    /// <summary>One or more iterations, calls or list items.</summary>
    public void ChargeItems(long count = 1)
    {
        // Compared before multiplying, which could overflow.
        if (count > left / ItemWork) throw Exhausted();
        left -= count * ItemWork;
    }

    /// <summary>Looking through text without making any.</summary>
    public void ChargeSearch(int characters) => ChargeText(0, characters);

    /// <summary>A call of a built-in, which may look through the text that it works on or copy it.</summary>
    public void ChargeCall(Value target)
    {
        ChargeItems();
        if (target.IsText) ChargeText(0, target.Text.Length);
    }

    public void ChargeText(long length, int made)
    {
        if (length > MaxText) throw new TemplateException($"a text is longer than {MaxText:N0} characters");
        if (made > left) throw Exhausted();
        left -= made;
    }

    public void EnterCall()
    {
        if (++calls > MaxCalls) throw new TemplateException($"more than {MaxCalls} calls inside one another");
        ChargeItems();
    }

    public void LeaveCall() => calls--;

    /// <summary>
    /// Stands where values or expressions nest: the stack must have room, and walking a value that contains itself many times over is work too.
    /// </summary>
    /// <exception cref="InsufficientExecutionStackException">The stack is nearly full. <see cref="Template"/> turns it into its own exception.</exception>
    public static void Descend()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        current?.ChargeItems();
    }

    private static TemplateException Exhausted() => new("the template does too much: more than a second's worth of loops and text");
}
