using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Inference.Kernels;

/// <summary>A piece of work cut into chunks that may run on any thread in any order. Instances are kept and refilled: no allocation per call.</summary>
internal abstract class ParallelJob
{
    /// <summary>Does chunk <paramref name="chunk"/>; <paramref name="thread"/> (0 to threads - 1) selects scratch memory.</summary>
    public abstract void Run(int chunk, int thread);
}

/// <summary>
/// A persistent fork/join pool for jobs of microseconds. Threads claim chunks by compare-and-swap and the caller joins on completed
/// chunks, so a worker that the system schedules late is never waited for. Workers spin briefly after a job and then sleep: an idle engine uses no CPU.
/// </summary>
internal sealed unsafe class WorkerPool : IDisposable
{
    /// <summary>Most chunks of one job: the width of the counters in the claim word.</summary>
    public const int MaxChunks = (1 << 20) - 1;

    // About a millisecond of `pause`: longer than the host's share of a decode step, so workers stay awake between the jobs of a step.
    private const int SpinsBeforeSleep = 20_000;

    /// <summary>Each counter on a cache line of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct State
    {
        /// <summary>generation (24 bits) | chunks of the job (20) | next chunk (20), in one word so that a stale claim can never succeed.</summary>
        [FieldOffset(64)] public long Claim;
        [FieldOffset(128)] public int Done;
        [FieldOffset(192)] public int Sleepers;
    }

    private readonly State* state;
    private readonly Thread[] workers;
    private readonly object gate = new();
    private ParallelJob? job;
    private Exception? failure;
    private volatile bool stopping;
    private int generation;

    /// <param name="threads">Threads that work on a job, the caller among them; at least 1.</param>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        state = (State*)NativeMemory.AlignedAlloc((nuint)sizeof(State), 64);
        *state = default;
        workers = new Thread[threads - 1];
        for (int i = 0; i < workers.Length; i++)
        {
            int index = i + 1;
            workers[i] = new Thread(() => Loop(index)) { IsBackground = true, Name = "inference worker " + index };
            workers[i].Start();
        }
    }

    /// <summary>Threads that work on a job.</summary>
    public int Threads => workers.Length + 1;

    /// <summary>Runs chunks 0 to <paramref name="chunks"/> - 1 and returns when all are done. An exception of a chunk is thrown here.</summary>
    public void Run(ParallelJob work, int chunks)
    {
        if (chunks <= 0) return;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chunks, MaxChunks);
        if (chunks == 1 || workers.Length == 0)
        {
            for (int i = 0; i < chunks; i++) work.Run(i, 0);
            return;
        }
        job = work;
        state->Done = 0;
        generation = (generation + 1) & 0xffffff;
        Volatile.Write(ref state->Claim, (long)generation << 40 | (long)chunks << 20);
        Interlocked.MemoryBarrier(); // the claim must be visible before sleepers are counted, or one could fall asleep unseen
        if (Volatile.Read(ref state->Sleepers) > 0)
            lock (gate) Monitor.PulseAll(gate);
        Drain(generation, 0);
        for (int spins = 0; Volatile.Read(ref state->Done) != chunks; spins++) Pause(spins);
        if (failure is { } e)
        {
            failure = null;
            throw new InvalidOperationException("a kernel failed on a worker thread: " + e.Message, e);
        }
    }

    private void Drain(int of, int thread)
    {
        while (true)
        {
            long claim = Volatile.Read(ref state->Claim);
            int next = (int)(claim & MaxChunks);
            if ((int)(claim >> 40 & 0xffffff) != of || next >= (int)(claim >> 20 & MaxChunks)) return;
            ParallelJob work = job!;
            if (Interlocked.CompareExchange(ref state->Claim, claim + 1, claim) != claim) continue;
            try { work.Run(next, thread); }
            catch (Exception e) { failure = e; }
            Interlocked.Increment(ref state->Done);
        }
    }

    private void Loop(int thread)
    {
        int seen = 0;
        while (!stopping)
        {
            int current = seen;
            for (int spins = 0; !stopping; spins++)
            {
                current = (int)(Volatile.Read(ref state->Claim) >> 40 & 0xffffff);
                if (current != seen) break;
                if (spins < SpinsBeforeSleep) Pause(spins);
                else Sleep(seen);
            }
            seen = current;
            Drain(current, thread);
        }
    }

    private void Sleep(int seen)
    {
        lock (gate)
        {
            Interlocked.Increment(ref state->Sleepers);
            while (!stopping && (int)(Volatile.Read(ref state->Claim) >> 40 & 0xffffff) == seen) Monitor.Wait(gate);
            Interlocked.Decrement(ref state->Sleepers);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pause(int spins)
    {
        // A yield now and then lets a worker run that shares this core with the one waiting for it.
        if (spins % 2000 == 1999) Thread.Yield();
        else if (X86Base.IsSupported) X86Base.Pause();
        else Thread.SpinWait(1);
    }

    public void Dispose()
    {
        if (stopping) return;
        stopping = true;
        lock (gate) Monitor.PulseAll(gate);
        foreach (Thread worker in workers) worker.Join();
        NativeMemory.AlignedFree(state);
    }
}
