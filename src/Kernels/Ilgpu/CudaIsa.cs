using ILGPU;
using ILGPU.Frontend;

namespace Inference.Kernels;

/// <summary>
/// PTX instructions that ILGPU does not write: an [External] method becomes a call in the text, and <see cref="CudaLoader"/> puts the instruction in the
/// call's place. (Assembler lines by CudaAsm would take their results through .local memory.) The bodies say what the instruction does.
/// </summary>
internal readonly struct CudaIsa : IIsa
{
    public static float Half(uint bits) => (float)Interop.IntAsFloat((ushort)bits);
    public static float Fma(float a, float b, float c) => FmaRn(a, b, c);

    public static uint Lookup(UInt4 table, uint indices)
    {
        // A selector has a nibble to each byte; its top bit would spread a sign, so the halves of the table are looked up and then chosen from.
        uint pairs = (indices | (indices >> 4)) & 0x00ff00ffu, selector = pairs | (pairs >> 8);
        uint low = Prmt(table.X, table.Y, selector & 0x7777u), high = Prmt(table.Z, table.W, selector & 0x7777u);
        return Prmt(low, high, 0x3210u | ((selector & 0x8888u) >> 1));
    }

    public static int Dot16(UInt4 a, UInt4 p, int init) => Dp4a(a.W, p.W, Dp4a(a.Z, p.Z, Dp4a(a.Y, p.Y, Dp4a(a.X, p.X, init))));
    public static int Dot32(UInt4 a, UInt4 p, UInt4 b, UInt4 q, int init) => Dot16(b, q, Dot16(a, p, init));

    [External("inference_fma_rn_f32")]
    private static float FmaRn(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    [External("inference_prmt_b32")]
    private static uint Prmt(uint low, uint high, uint selector) => Numerics.Permute(low, high, selector);

    [External("inference_dp4a_s32_s32")]
    private static int Dp4a(uint a, uint b, int c) => Numerics.Dot4(a, b, c);
}
