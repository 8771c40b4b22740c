using System.Globalization;

namespace Inference.Tests.Interleaving;

/// <summary>A schedule in which something went wrong: everybody waits, nobody ends, or a property does not hold.</summary>
internal sealed class InterleavingException(string message) : Exception(message);

/// <summary>
/// Runs threads one at a time and chooses, at each crossing, who goes on: a function of the seed, so that a schedule can be repeated. A third of the seeds chooses evenly; a third stays with a thread for
/// a while; a third has fixed priorities but for a few places where the one that runs becomes the last (PCT: Burckhardt and others, A randomized scheduler with probabilistic guarantees of finding bugs, 2010).
/// </summary>
/// <remarks>A thread is a flow of execution: what a client awaits may go on in any thread of the pool, and is the client still.</remarks>
internal sealed class Interleaver : ThreadCrossings
{
    private const int MaxSteps = 100_000, TraceLength = 60, PriorityChanges = 4, ExpectedSteps = 500;

    private sealed class Participant(string name, int priority)
    {
        public string Name { get; } = name;
        public SemaphoreSlim Turn { get; } = new(0);
        public int Priority { get; set; } = priority;
        public string Place { get; set; } = "begin";
        public Func<bool>? Condition { get; set; }
        public bool CanRun => Condition is null || Condition();
    }

    private readonly AsyncLocal<Participant?> current = new();
    private readonly Lock sync = new();
    private readonly List<Participant> participants = [];
    private readonly List<Participant> ready = [];
    private readonly Queue<string> trace = [];
    private readonly HashSet<int> changes = [];
    private readonly Random random;
    private readonly int seed;
    private Participant? last;
    private int clients, lowest;
    private bool released;
    private string? failure;

    public Interleaver(int seed)
    {
        this.seed = seed;
        random = new Random(seed);
        if (seed % 3 == 2)
            while (changes.Count < PriorityChanges) changes.Add(random.Next(ExpectedSteps));
    }

    /// <summary>Decisions so far.</summary>
    public int Steps { get; private set; }

    /// <summary>Decisions by which another thread went on than the one that ran.</summary>
    public int Switches { get; private set; }

    /// <summary>Order-dependent hash of the decisions: equal for equal schedules.</summary>
    public int Fingerprint { get; private set; }

    /// <summary>How often each place was reached.</summary>
    public Dictionary<string, int> Places { get; } = [];

    /// <summary>Runs the clients, beside the threads announced before, until all of them have ended; then everybody runs free.</summary>
    /// <exception cref="InterleavingException">Not all ended; the message has the seed and the last decisions.</exception>
    public void Run(IReadOnlyList<(string Name, Func<Task> Body)> bodies)
    {
        var threads = new List<Thread>();
        var errors = new List<Exception>();
        clients = bodies.Count;
        foreach ((string name, Func<Task> body) in bodies)
        {
            Participant client = Add(name);
            threads.Add(new Thread(() =>
            {
                try
                {
                    Begin(client);
                    body().GetAwaiter().GetResult();
                }
                catch (Exception e)
                {
                    lock (errors) errors.Add(e);
                    Fail(e.Message);
                }
                clients--;
                Leave();
            }, maxStackSize: 256 << 10)
            { IsBackground = true });
        }
        foreach (Thread thread in threads) thread.Start();
        lock (sync) last = Choose();
        last!.Turn.Release();
        foreach (Thread thread in threads)
            if (!thread.Join(TimeSpan.FromMinutes(2))) Fail($"{Describe()}: hangs between two crossings");
        if (failure is not null) throw new InterleavingException($"seed {seed.ToString(CultureInfo.InvariantCulture)}: {failure}\n{string.Join('\n', trace)}\n{string.Join("\n---\n", errors.Where(e => e is not InterleavingException))}");
    }

    public override void Announce(string thread) => Add(thread);

    public override void Enter(string thread)
    {
        Participant self;
        lock (sync) self = participants.Find(p => p.Name == thread)!;
        Begin(self);
    }

    public override void Leave()
    {
        lock (sync)
        {
            Participant self = current.Value!;
            participants.Remove(self);
            if (released) return;
            if (clients == 0) Release();
            else if (Choose() is { } next) next.Turn.Release();
            else FailLocked($"nobody can go on: {Describe()}");
        }
    }

    public override void Join(string thread) => Await("join", () => !participants.Exists(p => p.Name == thread));

    public override void Reach(string place) => Stop(place, null);

    public override void Await(string place, Func<bool> condition) => Stop(place, condition);

    /// <summary>Throws, with the seed, where a property does not hold.</summary>
    public static void Require(bool condition, string property)
    {
        if (!condition) throw new InterleavingException(property);
    }

    private Participant Add(string name)
    {
        var participant = new Participant(name, random.Next(1 << 20));
        lock (sync) participants.Add(participant);
        return participant;
    }

    private void Begin(Participant self)
    {
        current.Value = self;
        self.Turn.Wait();
    }

    private void Stop(string place, Func<bool>? condition)
    {
        if (current.Value is not { } self) return;
        Participant? next;
        lock (sync)
        {
            if (!released)
            {
                self.Place = place;
                self.Condition = condition;
                Places[place] = Places.GetValueOrDefault(place) + 1;
                if (changes.Contains(Steps)) self.Priority = --lowest;
                next = Choose();
                if (next == self) return;
                Switches++;
                if (next is null) FailLocked(Steps >= MaxSteps ? $"no end: {Describe()}" : $"nobody can go on: {Describe()}");
                else next.Turn.Release();
            }
            else if (failure is null) return;
        }
        if (!released || failure is null) self.Turn.Wait();
        // What the others were to do for it may never be done.
        if (condition is not null) ThrowIfFailed(self);
    }

    /// <summary>Who goes on; null where everybody waits.</summary>
    private Participant? Choose()
    {
        if (Steps >= MaxSteps) return null;
        ready.Clear();
        foreach (Participant participant in participants)
            if (participant.CanRun) ready.Add(participant);
        if (ready.Count == 0) return null;
        Participant next = ready[random.Next(ready.Count)];
        if (seed % 3 == 1 && random.Next(6) > 0 && ready.Contains(last!)) next = last!;
        if (seed % 3 == 2) next = ready.MaxBy(p => p.Priority)!;
        Steps++;
        Fingerprint = HashCode.Combine(Fingerprint, next.Name, next.Place);
        if (trace.Count == TraceLength) trace.Dequeue();
        trace.Enqueue($"{next.Name}: {next.Place}");
        next.Condition = null;
        return last = next;
    }

    private void Fail(string message)
    {
        lock (sync) FailLocked(message);
    }

    private void FailLocked(string message)
    {
        failure ??= message;
        Release();
    }

    private void Release()
    {
        if (released) return;
        released = true;
        foreach (Participant participant in participants) participant.Turn.Release();
    }

    private void ThrowIfFailed(Participant self)
    {
        if (failure is not null) throw new InterleavingException($"{self.Name} at '{self.Place}' gives up: {failure}");
    }

    private string Describe() => string.Join(", ", participants.Select(p => $"{p.Name} at '{p.Place}'"));
}
