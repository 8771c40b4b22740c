using System.Numerics;
using System.Runtime.CompilerServices;

namespace Inference.Models;

/// <summary>One match in progress. A pattern of a model file may be hostile, so its work is counted.</summary>
internal ref struct PatternScan(ReadOnlySpan<char> text, long budget)
{
    public readonly ReadOnlySpan<char> Text = text;

    /// <summary>Steps that are left.</summary>
    public long Budget = budget;

    public void Spend(int steps)
    {
        Budget -= steps;
        if (Budget < 0) throw new PatternBudgetException();
    }
}

/// <summary>A pattern takes more steps than any that matches in linear time.</summary>
internal sealed class PatternBudgetException() : Exception("the pattern backtracks without end on this text");

/// <summary>
/// A step of a backtracking match. Each node knows what follows it, so a match is one chain of calls whose depth is the length of the pattern, except for
/// repeated groups.
/// </summary>
internal abstract class PatternNode
{
    protected const int Fail = -1;

    /// <summary>Matches this node and all that follow.</summary>
    /// <returns>Where the whole match ends, or -1.</returns>
    public abstract int Match(ref PatternScan scan, int position);
}

/// <summary>The end of the pattern.</summary>
internal sealed class AcceptNode : PatternNode
{
    public static readonly AcceptNode Instance = new();

    public override int Match(ref PatternScan scan, int position) => position;
}

/// <summary>A fixed text.</summary>
internal sealed class LiteralNode(string literal, PatternNode next) : PatternNode
{
    public override int Match(ref PatternScan scan, int position) =>
        scan.Text[position..].StartsWith(literal, StringComparison.Ordinal) ? next.Match(ref scan, position + literal.Length) : Fail;
}

/// <summary>How a repetition chooses its length.</summary>
internal enum Greed
{
    Greedy,
    Lazy,

    /// <summary>The longest, and never another.</summary>
    Possessive,
}

/// <summary>A code point of a set, repeated.</summary>
internal sealed class SetNode(CharacterSet set, int least, int most, Greed greed, PatternNode next) : PatternNode
{
    public override int Match(ref PatternScan scan, int position)
    {
        ReadOnlySpan<char> text = scan.Text;
        int end = position, count = 0;
        int wanted = greed == Greed.Lazy ? least : most;
        while (count < wanted && end < text.Length)
        {
            int width = set.Match(text, end);
            if (width == 0) break;
            end += width;
            count++;
        }
        scan.Spend(count + 1);
        if (count < least) return Fail;
        if (greed == Greed.Lazy) return Extend(ref scan, end, count);
        while (true)
        {
            int matched = next.Match(ref scan, end);
            if (matched >= 0 || count == least || greed == Greed.Possessive) return matched;
            end -= end - 2 >= position && char.IsLowSurrogate(text[end - 1]) ? 2 : 1;
            count--;
        }
    }

    private int Extend(ref PatternScan scan, int end, int count)
    {
        while (true)
        {
            int matched = next.Match(ref scan, end);
            if (matched >= 0 || count == most || end >= scan.Text.Length) return matched;
            int width = set.Match(scan.Text, end);
            if (width == 0) return Fail;
            end += width;
            count++;
            scan.Spend(1);
        }
    }
}

/// <summary>Several ways on, the first that matches.</summary>
internal sealed class ChoiceNode : PatternNode
{
    private readonly PatternNode[] branches;
    private readonly uint[]? byFirst;

    /// <param name="branches">In order of preference.</param>
    /// <param name="byFirst">For each ASCII character, the branches that can match text which starts with it; null when there are more than 32 branches.</param>
    public ChoiceNode(PatternNode[] branches, uint[]? byFirst) => (this.branches, this.byFirst) = (branches, byFirst);

    public override int Match(ref PatternScan scan, int position)
    {
        scan.Spend(1);
        if (byFirst is not null && position < scan.Text.Length && scan.Text[position] < byFirst.Length)
        {
            for (uint open = byFirst[scan.Text[position]]; open != 0; open &= open - 1)
            {
                int matched = branches[BitOperations.TrailingZeroCount(open)].Match(ref scan, position);
                if (matched >= 0) return matched;
            }
            return Fail;
        }
        foreach (PatternNode branch in branches)
        {
            int matched = branch.Match(ref scan, position);
            if (matched >= 0) return matched;
        }
        return Fail;
    }
}

/// <summary>A group repeated any number of times; its body leads back here.</summary>
internal sealed class LoopNode(bool lazy, PatternNode next) : PatternNode
{
    public PatternNode? Body { get; set; }

    public override int Match(ref PatternScan scan, int position)
    {
        scan.Spend(1);
        // Each round is a call inside a call.
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new PatternBudgetException();
        int matched = (lazy ? next : Body!).Match(ref scan, position);
        return matched >= 0 ? matched : (lazy ? Body! : next).Match(ref scan, position);
    }
}

/// <summary>A group that is matched once and not reconsidered.</summary>
internal sealed class AtomicNode(PatternNode body, PatternNode next) : PatternNode
{
    public override int Match(ref PatternScan scan, int position)
    {
        int end = body.Match(ref scan, position);
        return end < 0 ? Fail : next.Match(ref scan, end);
    }
}

/// <summary>Something that must, or must not, follow here.</summary>
internal sealed class LookAheadNode(PatternNode body, bool negated, PatternNode next) : PatternNode
{
    public override int Match(ref PatternScan scan, int position) => body.Match(ref scan, position) >= 0 == negated ? Fail : next.Match(ref scan, position);
}

/// <summary>Something of a known number of code points that must, or must not, stand before here.</summary>
internal sealed class LookBehindNode(PatternNode body, int length, bool negated, PatternNode next) : PatternNode
{
    public override int Match(ref PatternScan scan, int position)
    {
        int start = position, back = 0;
        while (back < length && start > 0)
        {
            start -= start > 1 && char.IsLowSurrogate(scan.Text[start - 1]) ? 2 : 1;
            back++;
        }
        bool found = back == length && body.Match(ref scan, start) == position;
        return found == negated ? Fail : next.Match(ref scan, position);
    }
}

/// <summary>A place in the text.</summary>
internal enum Place
{
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,

    /// <summary>The end, or before a newline that ends the text.</summary>
    LastLineEnd,
}

/// <summary>Matches a place and no text.</summary>
internal sealed class PlaceNode(Place place, PatternNode next) : PatternNode
{
    public override int Match(ref PatternScan scan, int position)
    {
        ReadOnlySpan<char> text = scan.Text;
        bool here = place switch
        {
            Place.LineStart => position == 0 || (text[position - 1] == '\n' && position < text.Length),
            Place.LineEnd => position == text.Length || text[position] == '\n',
            Place.TextStart => position == 0,
            Place.TextEnd => position == text.Length,
            _ => position == text.Length || (position == text.Length - 1 && text[position] == '\n'),
        };
        return here ? next.Match(ref scan, position) : Fail;
    }
}
