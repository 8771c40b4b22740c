using ILGPU;
using ILGPU.Algorithms;

namespace Inference.Kernels;

/// <summary>The arguments of <see cref="GateUpKernel"/>: [rows][columns] each.</summary>
internal struct GateUpArgs
{
    public ArrayView<float> Gate, Up, Output;
    public int Count;
}

/// <summary>output = silu(gate) * up. Grid (elements / ElementThreads), a thread to an element; float32.</summary>
internal static class GateUpKernel
{
    public static void Run<TGroups>(GateUpArgs a) where TGroups : struct, IGroups
    {
        int i = Grid.IdxX * TGroups.ElementThreads + Group.IdxX;
        if (i < a.Count)
        {
            float gate = a.Gate[i];
            a.Output[i] = gate / (1f + XMath.Exp(-gate)) * a.Up[i];
        }
    }
}
