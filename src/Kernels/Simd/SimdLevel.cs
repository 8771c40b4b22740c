using System.Runtime.Intrinsics.X86;

namespace Inference.Kernels;

/// <summary>Instruction sets the host kernels are written for, in rising order of speed.</summary>
internal enum SimdLevel
{
    /// <summary>No instruction set assumed: 128-bit vectors that .NET maps to what is there (Arm64 too).</summary>
    Portable,

    /// <summary>AVX2 and FMA.</summary>
    Avx2,

    /// <summary>AVX2, FMA and AVX-VNNI (vpdpbusd on 256 bits).</summary>
    Avx2Vnni,

    /// <summary>AVX-512 F, BW, DQ and VL; byte products by AVX-VNNI where the processor has it.</summary>
    Avx512,

    /// <summary>AVX-512 with VNNI (vpdpbusd on 512 bits), which .NET has no class for: the products of the usual types are machine code that is written at start (<see cref="VnniTiles"/>). Linux x64.</summary>
    Avx512Vnni,
}

/// <summary>Choice of the level: the best that the processor has, unless the user forces one.</summary>
internal static class SimdLevels
{
    /// <summary>The best level of this processor.</summary>
    public static SimdLevel Best { get; } =
        IsSupported(SimdLevel.Avx512Vnni) ? SimdLevel.Avx512Vnni : IsSupported(SimdLevel.Avx512) ? SimdLevel.Avx512 : IsSupported(SimdLevel.Avx2Vnni) ? SimdLevel.Avx2Vnni : IsSupported(SimdLevel.Avx2) ? SimdLevel.Avx2 : SimdLevel.Portable;

    /// <summary>The level of everything but byte products.</summary>
    public static SimdLevel Vectors(SimdLevel level) => level == SimdLevel.Avx512Vnni ? SimdLevel.Avx512 : level;

    /// <summary>Whether this processor can run the level. (BW is asked for, since a setting can turn <c>Vector512.IsHardwareAccelerated</c> off.)</summary>
    public static bool IsSupported(SimdLevel level) => level switch
    {
        SimdLevel.Avx512 => Avx512BW.VL.IsSupported && Avx512DQ.IsSupported && Fma.IsSupported,
        SimdLevel.Avx512Vnni => VnniTiles.IsSupported,
        SimdLevel.Avx2Vnni => Avx2.IsSupported && Fma.IsSupported && AvxVnni.IsSupported,
        SimdLevel.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        _ => true,
    };
}
