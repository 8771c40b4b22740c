using System.Runtime.CompilerServices;

namespace Inference.Models.Templates;

/// <summary>
/// What one render may use up. A template comes from a file that anybody may have written, so none can run for long, fill the memory or overflow the stack.
/// Work is counted in units of about a tenth of a nanosecond to a nanosecond; whatever takes time in proportion to its input charges in proportion.
/// </summary>
internal sealed class Budget
{
    /// <summary>Characters of the output, and of any text on the way: far above any model's context.</summary>
    public const int MaxText = 1 << 24;

    /// <summary>Characters of all texts that are made on the way, which may all be alive at once: a gigabyte. A long conversation takes a hundredth.</summary>
    public const long MaxTextMade = 1L << 29;

    /// <summary>Units of work: a second or two. A conversation of a thousand messages takes a hundredth.</summary>
    public const long MaxWork = 1L << 31;

    /// <summary>Units of one iteration, call or list item: 16 million of them exhaust the budget.</summary>
    public const int ItemWork = 128;

    /// <summary>Units of a step that neither loops nor calls.</summary>
    public const int StepWork = 16;

    /// <summary>Items of a <c>range</c>, as in Jinja's sandbox.</summary>
    public const int MaxRange = 100_000;

    /// <summary>Macros and recursive loops inside one another.</summary>
    public const int MaxCalls = 256;

    /// <summary>Texts from this length on are charged for being looked through.</summary>
    private const int LongText = 1024;

    /// <summary>The budget of the render that runs on this thread: comparing and hashing have no other way to it.</summary>
    [ThreadStatic]
    private static Budget? current;

    private long workLeft;
    private long textLeft;
    private int calls;
    private Budget? outer;

    /// <summary>Begins a render on this thread.</summary>
    public void Begin()
    {
        (workLeft, textLeft, calls) = (MaxWork, MaxTextMade, 0);
        (outer, current) = (current, this);
    }

    public void End() => current = outer;

    /// <param name="units">Not negative.</param>
    public void Charge(long units)
    {
        workLeft -= units;
        if (workLeft < 0) throw Exhausted();
    }

    /// <summary>Iterations, calls or list items.</summary>
    public void ChargeItems(long count = 1) => Charge(Math.Min(count, MaxWork) * ItemWork);

    /// <summary>Looking through text without making any.</summary>
    public void ChargeSearch(int characters) => Charge(characters);

    /// <summary>A call of a built-in, which may look through the text that it works on or copy it.</summary>
    public void ChargeCall(Value target)
    {
        ChargeItems();
        if (target.IsText) ChargeText(0, target.Text.Length / 2);
    }

    /// <param name="length">Of the text that grows.</param>
    /// <param name="made">Characters that are added to it.</param>
    public void ChargeText(long length, int made)
    {
        if (length > MaxText) throw new TemplateException($"a text is longer than {MaxText:N0} characters");
        textLeft -= made;
        if (textLeft < 0) throw Exhausted();
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
    /// <param name="width">Parts that are gone through at this level.</param>
    /// <exception cref="InsufficientExecutionStackException">The stack is nearly full. <see cref="Template"/> turns it into its own exception.</exception>
    public static void Descend(int width = 1)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        current?.Charge((width + 2L) * StepWork);
    }

    /// <summary>Comparing, counting or hashing text, a vector at a time.</summary>
    public static void ChargeScan(int characters)
    {
        if (characters >= LongText) current?.Charge(characters / 4);
    }

    private static TemplateException Exhausted() => new("the template does too much: more than a second or two of loops and text");
}
