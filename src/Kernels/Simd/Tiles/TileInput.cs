namespace Inference.Kernels;

/// <summary>
/// The prepared activations of one tile of T tokens (T = 1, 2, 4 or 8), as the tiles of <see cref="TileTable"/> read them. Which pointers are
/// set depends on the weight's <see cref="ActivationForm"/>. Blocks are of 32 columns, in order; the tokens of a block lie side by side.
/// </summary>
internal unsafe struct TileInput
{
    /// <summary>[block][T][32] int8.</summary>
    public sbyte* Quants;

    /// <summary>[block][T] scale of the block's quants.</summary>
    public float* Scales;

    /// <summary>[block][T] -scale * (sum of the block's quants): what mins are multiplied by.</summary>
    public float* NegativeSums;

    /// <summary>[half block of 16][T] the same for 16 columns.</summary>
    public float* NegativeHalfSums;

    /// <summary>[block][T] -8 * (q[4i] + q[4i + 1], summed over i) in the low and -8 * (q[4i + 2] + q[4i + 3]) in the high int16: a sum that starts here has the zero point 8 taken off.</summary>
    public int* Corrections8;

    /// <summary>[block][T] the same with -16.</summary>
    public int* Corrections16;

    /// <summary>[half block of 16][T] the same with -32, for zero point 32.</summary>
    public int* Corrections32;

    /// <summary>[block][T] -(sum of the block's quants).</summary>
    public int* Totals;

    /// <summary>[half block of 16][T] the same for 16 columns.</summary>
    public int* HalfTotals;

    /// <summary>[column][T] float32.</summary>
    public float* Values;

    /// <summary>[column][T] float32 times <see cref="TileConstants.HalfScale"/>, for float16 weights.</summary>
    public float* ScaledValues;
}

/// <summary>Constants of the generated tiles.</summary>
internal static class TileConstants
{
    /// <summary>
    /// Packed float16 numbers are stored times 1024: then none that the original could hold is subnormal, and no processor takes its slow path
    /// for subnormal operands. Numbers from 64 on do not fit; a matrix that has one is not packed.
    /// </summary>
    public const float StoredFactor = 1024;

    /// <summary>Sign, exponent and mantissa of a float16 that was sign-extended and shifted left by 13: a float32 of value * 2^-112.</summary>
    public const int HalfBits = unchecked((int)0x8fffe000);

    /// <summary>2^102 = 2^112 / <see cref="StoredFactor"/>.</summary>
    public const float HalfScale = 5.070602400912918e30f;
}
