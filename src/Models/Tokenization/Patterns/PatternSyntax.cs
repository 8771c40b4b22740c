namespace Inference.Models;

/// <summary>A pattern as parsed.</summary>
internal abstract record PatternSyntax
{
    /// <summary>Fewest characters that it takes; the most do not matter.</summary>
    public abstract int Least { get; }

    /// <summary>Makes the nodes of this part, which lead to <paramref name="next"/>.</summary>
    /// <exception cref="FormatException">A construct that is not supported here.</exception>
    public abstract PatternNode Compile(PatternCompiler compiler, PatternNode next);

    /// <summary>Whether a match can start with this character. True for a part that takes no text.</summary>
    public abstract bool CanStart(char first);
}

internal sealed record SetSyntax(CharacterClass Set) : PatternSyntax
{
    public override int Least => 1;

    public override PatternNode Compile(PatternCompiler compiler, PatternNode next) => new SetNode(compiler.Set(Set), 1, 1, Greed.Greedy, next);

    public override bool CanStart(char first) => Set.Contains(first);
}

internal sealed record PlaceSyntax(Place Place) : PatternSyntax
{
    public override int Least => 0;

    public override PatternNode Compile(PatternCompiler compiler, PatternNode next) => new PlaceNode(Place, next);

    public override bool CanStart(char first) => true;
}

internal sealed record SequenceSyntax(PatternSyntax[] Items) : PatternSyntax
{
    public override int Least => (int)Math.Min(int.MaxValue, Items.Sum(item => (long)item.Least));

    public override PatternNode Compile(PatternCompiler compiler, PatternNode next)
    {
        for (int i = Items.Length - 1; i >= 0; i--) next = Items[i].Compile(compiler, next);
        return next;
    }

    public override bool CanStart(char first)
    {
        foreach (PatternSyntax item in Items)
        {
            if (item is LookSyntax or PlaceSyntax) continue;
            if (item.CanStart(first)) return true;
            if (item.Least > 0) return false;
        }
        return true;
    }
}

internal sealed record ChoiceSyntax(PatternSyntax[] Branches) : PatternSyntax
{
    public override int Least => Branches.Min(branch => branch.Least);

    public override PatternNode Compile(PatternCompiler compiler, PatternNode next)
    {
        uint[]? byFirst = Branches.Length > 32 ? null : new uint[128];
        for (int first = 0; first < 128 && byFirst is not null; first++)
            for (int i = 0; i < Branches.Length; i++)
                if (Branches[i].Least == 0 || Branches[i].CanStart((char)first)) byFirst[first] |= 1u << i;
        compiler.Count(Branches.Length);
        return new ChoiceNode([.. Branches.Select(branch => branch.Compile(compiler, next))], byFirst);
    }

    public override bool CanStart(char first) => Branches.Any(branch => branch.Least == 0 || branch.CanStart(first));
}

internal sealed record RepeatSyntax(PatternSyntax Item, int From, int To, Greed Greed) : PatternSyntax
{
    public override int Least => (int)Math.Min(int.MaxValue, (long)Item.Least * From);

    public override bool CanStart(char first) => Item.CanStart(first);

    public override PatternNode Compile(PatternCompiler compiler, PatternNode next)
    {
        if (Item is SetSyntax { Set: var set }) return new SetNode(compiler.Set(set), From, To, Greed, next);
        if (Greed == Greed.Possessive) return new AtomicNode((this with { Greed = Greed.Greedy }).Compile(compiler, AcceptNode.Instance), next);
        bool lazy = Greed == Greed.Lazy;
        if (To == int.MaxValue)
        {
            if (Item.Least == 0) throw new FormatException("a group that can match nothing is repeated without limit");
            var loop = new LoopNode(lazy, next);
            loop.Body = Item.Compile(compiler, loop);
            next = loop;
        }
        else
        {
            PatternNode after = next;
            for (int i = From; i < To; i++)
            {
                compiler.Count(1);
                PatternNode once = Item.Compile(compiler, next);
                next = new ChoiceNode(lazy ? [after, once] : [once, after], byFirst: null);
            }
        }
        for (int i = 0; i < From; i++)
        {
            compiler.Count(1);
            next = Item.Compile(compiler, next);
        }
        return next;
    }
}

internal sealed record AtomicSyntax(PatternSyntax Item) : PatternSyntax
{
    public override int Least => Item.Least;

    public override PatternNode Compile(PatternCompiler compiler, PatternNode next) => new AtomicNode(Item.Compile(compiler, AcceptNode.Instance), next);

    public override bool CanStart(char first) => Item.CanStart(first);
}

internal sealed record LookSyntax(PatternSyntax Item, bool Behind, bool Negated) : PatternSyntax
{
    public override int Least => 0;

    public override PatternNode Compile(PatternCompiler compiler, PatternNode next)
    {
        PatternNode body = Item.Compile(compiler, AcceptNode.Instance);
        if (!Behind) return new LookAheadNode(body, Negated, next);
        return new LookBehindNode(body, FixedLength(Item) ?? throw new FormatException("a look-behind of more than one length"), Negated, next);
    }

    public override bool CanStart(char first) => true;

    private static int? FixedLength(PatternSyntax item) => item switch
    {
        SetSyntax => 1,
        PlaceSyntax or LookSyntax => 0,
        RepeatSyntax repeat => repeat.From == repeat.To ? FixedLength(repeat.Item) * repeat.From : null,
        AtomicSyntax atomic => FixedLength(atomic.Item),
        SequenceSyntax sequence => sequence.Items.Aggregate((int?)0, (sum, part) => sum + FixedLength(part)),
        ChoiceSyntax choice => choice.Branches.Select(FixedLength).Distinct().Take(2).ToArray() is [var only] ? only : null,
        _ => null,
    };
}

/// <summary>Shares equal sets, and bounds how many nodes a pattern becomes.</summary>
internal sealed class PatternCompiler
{
    private const int MostNodes = 4096;
    private readonly List<(CharacterClass Definition, CharacterSet Set)> sets = [];
    private int nodes;

    public CharacterSet Set(CharacterClass definition)
    {
        Count(1);
        foreach ((CharacterClass known, CharacterSet set) in sets)
            if (known.SameAs(definition)) return set;
        var made = new CharacterSet(definition);
        sets.Add((definition, made));
        return made;
    }

    public void Count(int more)
    {
        nodes += more;
        if (nodes > MostNodes) throw new FormatException($"more than {MostNodes} steps");
    }
}
