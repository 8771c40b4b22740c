namespace Inference.Cli;

/// <summary>A request of a load.</summary>
/// <param name="Arrival">Seconds after the start.</param>
/// <param name="Prompt">Token ids.</param>
/// <param name="OutputTokens">Tokens to generate, whatever the model says.</param>
/// <param name="Priority">Scheduling class.</param>
internal sealed record ServeRequest(double Arrival, int[] Prompt, int OutputTokens, int Priority);

/// <summary>Smallest and largest number of tokens.</summary>
internal readonly record struct TokenRange(int Least, int Most)
{
    /// <summary>N, or MIN-MAX.</summary>
    public static bool TryParse(string text, out TokenRange? range)
    {
        string[] ends = text.Split('-');
        int most = 0;
        bool read = ends.Length is 1 or 2 && int.TryParse(ends[0], out int least) && int.TryParse(ends[^1], out most) && least >= 1 && least <= most && most <= 1 << 20;
        range = read ? new TokenRange(int.Parse(ends[0]), most) : null;
        return read;
    }

    public int Draw(Random random) => random.Next(Least, Most + 1);

    public override string ToString() => Least == Most ? $"{Least}" : $"{Least}-{Most}";
}

/// <summary>What <c>bench serve</c> sends to an engine: the same for the same seed, however the engine is set up.</summary>
internal sealed record ServeLoad(int Requests, TokenRange Input, TokenRange Output, int SharedPrefix, double? Rate, int Seed, int[] Priorities)
{
    /// <summary>Tokens of the longest request.</summary>
    public int LongestSequence => SharedPrefix + Input.Most + Output.Most;

    /// <summary>Draws lengths uniformly and tokens at random; at a rate the gaps between arrivals are exponential (a Poisson process), else all come at once.</summary>
    /// <param name="vocabulary">Ids are below.</param>
    /// <param name="round">Another one has other tokens, and the same lengths: nothing of an earlier round is in the prefix cache.</param>
    public ServeRequest[] Draw(int vocabulary, int round = 0)
    {
        // Apart, so that another range of one kind changes nothing else.
        Random lengths = new(Seed), tokens = new(unchecked(Seed + 1 + round * 104_729)), gaps = new(Seed + 2);
        int[] prefix = Tokens(SharedPrefix);
        double arrival = 0;
        var requests = new ServeRequest[Requests];
        for (int i = 0; i < Requests; i++)
        {
            int input = Input.Draw(lengths), output = Output.Draw(lengths);
            requests[i] = new ServeRequest(arrival, [.. prefix, .. Tokens(input)], output, Priorities[i % Priorities.Length]);
            if (Rate is { } rate) arrival -= Math.Log(1 - gaps.NextDouble()) / rate;
        }
        return requests;

        int[] Tokens(int count)
        {
            var ids = new int[count];
            for (int i = 0; i < count; i++) ids[i] = tokens.Next(vocabulary);
            return ids;
        }
    }
}
