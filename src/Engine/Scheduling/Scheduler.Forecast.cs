using Inference.KvCache;

namespace Inference.Scheduling;

/// <summary>What the running sequences will need: a newcomer that would cost one of them its blocks later waits until it does not.</summary>
internal sealed partial class Scheduler
{
    // Where a preemption costs next to nothing, the worst moment may need that much more than the pool: it is short, and until then more sequences run. Simulated, a quarter to half of what careful admission loses to
    // eager admission is won back with half the preemptions of the latter or fewer.
    private const double Overcommitment = 0.05;

    private readonly AnswerLengths _answers = new();
    private readonly ExpectedEnds _ends;
    private readonly int[] _overcommitted;

    /// <summary>Blocks of a group that may be promised and not there: the more, the less it costs to move blocks out and in again.</summary>
    private int Overcommitted(CacheGroup group) =>
        _options.Preemption == PreemptionMode.Recompute ? 0 : (int)(Overcommitment * Math.Max(0, 1 - _options.SwapCost) * group.Blocks);

    /// <summary>Tokens until the sequence is expected to end: what is left until it is cut, or what answers of its length still took on average.</summary>
    private int ExpectedRest(ScheduledSequence sequence) => Math.Min(sequence.MaxLength - sequence.Length, _answers.Rest(sequence.GeneratedLength));

    /// <summary>
    /// Whether a group is expected to hold all that runs, and the newcomer, until they end. Blocks that others share are never expected back,
    /// which errs on the safe side.
    /// </summary>
    /// <param name="newcomer">To be admitted.</param>
    /// <param name="missing">Blocks that it takes now, for its known tokens and one more.</param>
    /// <param name="group">Cache group.</param>
    private bool WillFit(ScheduledSequence newcomer, int missing, int group)
    {
        int running = _running.Count;
        if (running == 0) return true;
        _ends.Clear(_kv.Groups[group].BlockSize);
        _ends.Add(newcomer.Length, ExpectedRest(newcomer), _kv.Groups[group].BlocksFor(KnownAndOneMore(newcomer)) - missing, 0);
        for (int i = 0; i < running; i++)
        {
            KvSequence kv = _running[i].Kv;
            BlockTable table = _kv.Table(kv, group);
            _ends.Add(_running[i].Length, ExpectedRest(_running[i]), table.End, table.End - table.First - _kv.SharedBlocks(kv, group));
        }
        return _ends.Peak() <= _kv.AvailableBlocks(group) + Math.Min(_overcommitted[group], _kv.FreeSwapBlocks(group));
    }
}
