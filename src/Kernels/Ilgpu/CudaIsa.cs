using ILGPU;
using ILGPU.Runtime.Cuda;

namespace Inference.Kernels;

/// <summary>
/// dp4a and accumulators in named registers, declared, used and read by name: the result of an Emit would cross .local memory in the inner loop.
/// </summary>
internal readonly struct CudaIsa : IIsa
{
    public static float Half(uint bits) => (float)Interop.IntAsFloat((ushort)bits);

    public static float Begin()
    {
        CudaAsm.Emit(".reg .f32 facc<8>; mov.f32 facc0, 0f00000000; mov.f32 facc1, facc0; mov.f32 facc2, facc0; mov.f32 facc3, facc0; mov.f32 facc4, facc0; mov.f32 facc5, facc0; mov.f32 facc6, facc0; mov.f32 facc7, facc0;");
        return 0f;
    }

    // An Emit takes ten operands, so the eight dp4a come in two; the braces give d and f a scope, so that inlining repeats no declaration.
    public static float DotMulAdd<TSlot>(UInt4 a, UInt4 p, UInt4 b, UInt4 q, int init, float scale, float acc) where TSlot : struct, IConst
    {
        CudaAsm.Emit("{ .reg .s32 d; .reg .f32 f; dp4a.s32.s32 d, %0, %1, %8; dp4a.s32.s32 d, %2, %3, d; dp4a.s32.s32 d, %4, %5, d; dp4a.s32.s32 d, %6, %7, d;", a.X, p.X, a.Y, p.Y, a.Z, p.Z, a.W, p.W, init);
        CudaAsm.Emit("dp4a.s32.s32 d, %0, %1, d; dp4a.s32.s32 d, %2, %3, d; dp4a.s32.s32 d, %4, %5, d; dp4a.s32.s32 d, %6, %7, d; cvt.rn.f32.s32 f, d;", b.X, q.X, b.Y, q.Y, b.Z, q.Z, b.W, q.W);
        AddToSlot<TSlot>(scale);
        return acc;
    }

    public static float HalfDotMulAdd<TSlot>(UInt4 a, UInt4 p, float scale, float acc) where TSlot : struct, IConst
    {
        CudaAsm.Emit("{ .reg .s32 d; .reg .f32 f; mov.s32 d, 0; dp4a.s32.s32 d, %0, %1, d; dp4a.s32.s32 d, %2, %3, d; dp4a.s32.s32 d, %4, %5, d; dp4a.s32.s32 d, %6, %7, d; cvt.rn.f32.s32 f, d;", a.X, p.X, a.Y, p.Y, a.Z, p.Z, a.W, p.W);
        AddToSlot<TSlot>(scale);
        return acc;
    }

    public static float MulAdd<TSlot>(float x, float y, float acc) where TSlot : struct, IConst
    {
        if (TSlot.Value == 0) CudaAsm.Emit("fma.rn.f32 facc0, %0, %1, facc0;", x, y);
        if (TSlot.Value == 1) CudaAsm.Emit("fma.rn.f32 facc1, %0, %1, facc1;", x, y);
        if (TSlot.Value == 2) CudaAsm.Emit("fma.rn.f32 facc2, %0, %1, facc2;", x, y);
        if (TSlot.Value == 3) CudaAsm.Emit("fma.rn.f32 facc3, %0, %1, facc3;", x, y);
        if (TSlot.Value == 4) CudaAsm.Emit("fma.rn.f32 facc4, %0, %1, facc4;", x, y);
        if (TSlot.Value == 5) CudaAsm.Emit("fma.rn.f32 facc5, %0, %1, facc5;", x, y);
        if (TSlot.Value == 6) CudaAsm.Emit("fma.rn.f32 facc6, %0, %1, facc6;", x, y);
        if (TSlot.Value == 7) CudaAsm.Emit("fma.rn.f32 facc7, %0, %1, facc7;", x, y);
        return acc;
    }

    public static void Store<TSlot>(float acc, ArrayView<float> shared, int index) where TSlot : struct, IConst
    {
        if (TSlot.Value == 0) CudaAsm.Emit("mov.f32 %0, facc0;", out shared[index]);
        if (TSlot.Value == 1) CudaAsm.Emit("mov.f32 %0, facc1;", out shared[index]);
        if (TSlot.Value == 2) CudaAsm.Emit("mov.f32 %0, facc2;", out shared[index]);
        if (TSlot.Value == 3) CudaAsm.Emit("mov.f32 %0, facc3;", out shared[index]);
        if (TSlot.Value == 4) CudaAsm.Emit("mov.f32 %0, facc4;", out shared[index]);
        if (TSlot.Value == 5) CudaAsm.Emit("mov.f32 %0, facc5;", out shared[index]);
        if (TSlot.Value == 6) CudaAsm.Emit("mov.f32 %0, facc6;", out shared[index]);
        if (TSlot.Value == 7) CudaAsm.Emit("mov.f32 %0, facc7;", out shared[index]);
    }

    /// <summary>Adds f * scale and closes the scope.</summary>
    private static void AddToSlot<TSlot>(float scale) where TSlot : struct, IConst
    {
        if (TSlot.Value == 0) CudaAsm.Emit("fma.rn.f32 facc0, f, %0, facc0; }", scale);
        if (TSlot.Value == 1) CudaAsm.Emit("fma.rn.f32 facc1, f, %0, facc1; }", scale);
        if (TSlot.Value == 2) CudaAsm.Emit("fma.rn.f32 facc2, f, %0, facc2; }", scale);
        if (TSlot.Value == 3) CudaAsm.Emit("fma.rn.f32 facc3, f, %0, facc3; }", scale);
        if (TSlot.Value == 4) CudaAsm.Emit("fma.rn.f32 facc4, f, %0, facc4; }", scale);
        if (TSlot.Value == 5) CudaAsm.Emit("fma.rn.f32 facc5, f, %0, facc5; }", scale);
        if (TSlot.Value == 6) CudaAsm.Emit("fma.rn.f32 facc6, f, %0, facc6; }", scale);
        if (TSlot.Value == 7) CudaAsm.Emit("fma.rn.f32 facc7, f, %0, facc7; }", scale);
    }
}
