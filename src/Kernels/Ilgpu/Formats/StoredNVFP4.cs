using ILGPU;

namespace Inference.Kernels;

/// <summary>Blocks as <see cref="NVFP4Format"/> says.</summary>
internal readonly struct StoredNVFP4 : IStoredFormat
{
    public static TensorType Type => TensorType.NVFP4;
    public static int BlockElements => 64;
    public static int BlockBytes => 36;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        uint nibbles = block.Word32(4 + (i >> 2) * 8 + (i & 1) * 4) >> ((i >> 1) & 1) * 4 & 0x0f0f0f0fu;
        return TIsa.Lookup(DeviceMXFP4.DoubledFloats(), nibbles);
    }

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        int bits = block.Byte(i), exponent = bits >> 3 & 15, mantissa = bits & 7;
        float scale = exponent == 0 ? mantissa * (1f / 1024) : (8 + mantissa) * Interop.IntAsFloat((uint)(exponent + 127 - 11) << 23);
        return new() { Scale = bits == 127 ? 0f : scale };
    }
}
