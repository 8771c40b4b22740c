using ILGPU.Frontend;

namespace Inference.Kernels;

/// <summary>
/// OpenCL C built-ins: the body of an [External] method is what the CPU would run; OpenCL gets a call by name, and <see cref="OpenClLoader"/> puts the
/// helper's text in front of the kernel. 2-4 times the integer arithmetic on PoCL, with the same bits.
/// </summary>
internal readonly struct OpenClIsa : IIsa
{
    /// <summary>The helpers that the calls refer to.</summary>
    public const string Prelude = """
        inline float inference_half(uint h) { ushort s = (ushort)h; return vload_half(0, (const __private half*)&s); }
        inline uint inference_lookup(uint t0, uint t1, uint t2, uint t3, uint i) { return as_uint(shuffle(as_uchar16((uint4)(t0, t1, t2, t3)), as_uchar4(i))); }
        inline int inference_dot16(uint a0, uint a1, uint a2, uint a3, uint p0, uint p1, uint p2, uint p3, int init)
        {
        #ifdef __opencl_c_integer_dot_product_input_4x8bit_packed
            return init + dot_4x8packed_ss_int(a0, p0) + dot_4x8packed_ss_int(a1, p1) + dot_4x8packed_ss_int(a2, p2) + dot_4x8packed_ss_int(a3, p3);
        #else
            int16 s = convert_int16(as_char16((uint4)(a0, a1, a2, a3))) * convert_int16(as_char16((uint4)(p0, p1, p2, p3)));
            int8 t = s.lo + s.hi; int4 u = t.lo + t.hi; int2 v = u.lo + u.hi;
            return init + v.x + v.y;
        #endif
        }
        inline int inference_dot32(uint a0, uint a1, uint a2, uint a3, uint p0, uint p1, uint p2, uint p3, uint b0, uint b1, uint b2, uint b3, uint q0, uint q1, uint q2, uint q3, int init)
        {
        #ifdef __opencl_c_integer_dot_product_input_4x8bit_packed
            return inference_dot16(b0, b1, b2, b3, q0, q1, q2, q3, inference_dot16(a0, a1, a2, a3, p0, p1, p2, p3, init));
        #else
            int16 s = convert_int16(as_char16((uint4)(a0, a1, a2, a3))) * convert_int16(as_char16((uint4)(p0, p1, p2, p3)))
                + convert_int16(as_char16((uint4)(b0, b1, b2, b3))) * convert_int16(as_char16((uint4)(q0, q1, q2, q3)));
            int8 t = s.lo + s.hi; int4 u = t.lo + t.hi; int2 v = u.lo + u.hi;
            return init + v.x + v.y;
        #endif
        }

        """;

    public static float Half(uint bits) => HalfOf(bits);
    public static float Fma(float a, float b, float c) => BuiltInFma(a, b, c);
    public static uint Lookup(UInt4 table, uint indices) => Lookup(table.X, table.Y, table.Z, table.W, indices);
    public static int Dot16(UInt4 a, UInt4 p, int init) => Dot16(a.X, a.Y, a.Z, a.W, p.X, p.Y, p.Z, p.W, init);

    public static int Dot32(UInt4 a, UInt4 p, UInt4 b, UInt4 q, int init) =>
        Dot32(a.X, a.Y, a.Z, a.W, p.X, p.Y, p.Z, p.W, b.X, b.Y, b.Z, b.W, q.X, q.Y, q.Z, q.W, init);

    [External("fma")]
    private static float BuiltInFma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    [External("inference_half")]
    private static float HalfOf(uint h) => Numerics.HalfToFloat(h);

    [External("inference_lookup")]
    private static uint Lookup(uint t0, uint t1, uint t2, uint t3, uint indices) => Numerics.Lookup(new() { X = t0, Y = t1, Z = t2, W = t3 }, indices);

    [External("inference_dot16")]
    private static int Dot16(uint a0, uint a1, uint a2, uint a3, uint p0, uint p1, uint p2, uint p3, int init) =>
        Numerics.Dot16(new() { X = a0, Y = a1, Z = a2, W = a3 }, new() { X = p0, Y = p1, Z = p2, W = p3 }, init);

    [External("inference_dot32")]
    private static int Dot32(uint a0, uint a1, uint a2, uint a3, uint p0, uint p1, uint p2, uint p3,
        uint b0, uint b1, uint b2, uint b3, uint q0, uint q1, uint q2, uint q3, int init) =>
        Dot16(b0, b1, b2, b3, q0, q1, q2, q3, Dot16(a0, a1, a2, a3, p0, p1, p2, p3, init));
}
