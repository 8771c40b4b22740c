using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Inference.Kernels;

/// <summary>output = silu(gate) * up over contiguous floats. An element's bits depend on its operands only, not on where it lies.</summary>
internal abstract unsafe class GateUpJob : ParallelJob
{
    /// <summary>Floats of a chunk: 3 x 32 KiB, some microseconds.</summary>
    protected const int ChunkElements = 8192;

    protected float* Gate, Up, Output;
    protected long Count;

    /// <summary>Sets the operands ([count] each; output may be one of the inputs) and returns the number of chunks.</summary>
    public int Begin(float* gate, float* up, float* output, long count)
    {
        Gate = gate;
        Up = up;
        Output = output;
        Count = count;
        return checked((int)((count + ChunkElements - 1) / ChunkElements));
    }

    /// <summary>The same for one run of elements on the caller's thread.</summary>
    public abstract void Activate(float* gate, float* up, float* output, int count);

    /// <summary>The job for an instruction set.</summary>
    public static GateUpJob Create(SimdLevel level) => level switch
    {
        SimdLevel.Avx512 or SimdLevel.Avx512Vnni => new GateUpJob<Vector512<float>, Avx512Lanes>(),
        SimdLevel.Avx2 or SimdLevel.Avx2Vnni => new GateUpJob<Vector256<float>, Avx2Lanes>(),
        _ => new GateUpJob<Vector128<float>, PortableLanes>(),
    };
}

/// <inheritdoc/>
internal sealed unsafe class GateUpJob<V, TLanes> : GateUpJob where V : struct where TLanes : struct, ILanes<V>
{
    public override void Run(int chunk, int thread)
    {
        long start = (long)chunk * ChunkElements;
        Activate(Gate + start, Up + start, Output + start, (int)Math.Min(ChunkElements, Count - start));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Activate(float* gate, float* up, float* output, int count)
    {
        int whole = count / TLanes.Width * TLanes.Width;
        for (int i = 0; i < whole; i += TLanes.Width) TLanes.Store(Activate(TLanes.Load(gate + i), TLanes.Load(up + i)), output + i);
        if (whole < count) Tail(gate + whole, up + whole, output + whole, count - whole);
    }

    /// <summary>Whole vectors again, over copies: a scalar tail would round in another way.</summary>
    private static void Tail(float* gate, float* up, float* output, int count)
    {
        float* copy = stackalloc float[3 * 16];
        new ReadOnlySpan<float>(gate, count).CopyTo(new Span<float>(copy, count));
        new ReadOnlySpan<float>(up, count).CopyTo(new Span<float>(copy + 16, count));
        TLanes.Store(Activate(TLanes.Load(copy), TLanes.Load(copy + 16)), copy + 32);
        new ReadOnlySpan<float>(copy + 32, count).CopyTo(new Span<float>(output, count));
    }

    /// <summary>g / (1 + exp(-g)) * up, with z = exp(-|g|) so that nothing overflows: the logistic function is 1 / (1 + z), or z / (1 + z) for negative g.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Activate(V gate, V up)
    {
        V zero = TLanes.Broadcast(0f), one = TLanes.Broadcast(1f);
        V z = VectorMath.Exp<V, TLanes>(TLanes.Min(TLanes.Subtract(zero, gate), gate));
        V numerator = TLanes.SelectBelow(gate, zero, TLanes.Multiply(gate, z), gate);
        return TLanes.Multiply(TLanes.Divide(numerator, TLanes.Add(one, z)), up);
    }
}
