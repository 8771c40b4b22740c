using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Inference.Kernels;

/// <summary>
/// Types of one scale for 32 columns. Per block: 16 scales, maybe 16 mins (float16 * 1024), maybe 16 dwords of fifth bits, then [group of 4 columns][row][4]:
/// columns k and k + 16 in the low and high nibble. The fifth bits of a row's dword: byte i, bit 2 g for column 4 g + i, bit 2 g + 1 for column 4 g + i + 16.
/// As large as in the file.
/// </summary>
internal abstract unsafe class PackedBlocks : PackedLayout
{
    private int ScaleRegion => 16 * ScaleBytes;
    private int Head => ScaleRegion + (HasMin ? 32 : 0);
    private int Quants => Head + (HasHighBits ? 64 : 0);
    private int BlockBytes => Quants + 256;

    /// <summary>Bytes of a scale, in the file and packed.</summary>
    protected virtual int ScaleBytes => 2;

    /// <summary>Whether a float16 min follows the scale.</summary>
    protected virtual bool HasMin => false;

    /// <summary>Whether a dword of fifth bits follows, bit i for column i.</summary>
    protected virtual bool HasHighBits => false;

    /// <summary>Weight = scale * step[q], + min.</summary>
    protected abstract ReadOnlySpan<sbyte> Steps { get; }

    public override long PanelBytes(int columns) => columns / 32 * (long)BlockBytes;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override bool Pack(byte** rows, int columns, byte* panel)
    {
        bool hasMin = HasMin, hasHighBits = HasHighBits, fits = true;
        int minAt = ScaleRegion, highAt = Head, quantsAt = Quants, blockBytes = BlockBytes, fileQuants = blockBytes / 16 - 16;
        nint at = 0;
        for (int b = 0; b < columns / 32; b++, at += fileQuants + 16, panel += blockBytes)
        {
            fits &= TryStoreScales(rows, at, panel);
            if (hasMin) fits &= StoredHalves.TryStore(rows, at + 2, panel + minAt);
            if (hasHighBits)
            {
                uint* bits = (uint*)(panel + highAt);
                for (int r = 0; r < 16; r++) bits[r] = *(uint*)(rows[r] + at + fileQuants - 4);
                for (int r = 0; r < 16; r += 4) Spread(Vector128.Load(bits + r)).Store(bits + r);
            }
            RowTransposition.Dwords(rows, at + fileQuants, 4, panel + quantsAt);
        }
        return fits;
    }

    /// <summary>Moves bit 16 h + 4 g + i to bit 8 i + 2 g + h: the file's order of fifth bits to that of the panel. Four exchanges of two bits of the index.</summary>
    private static Vector128<uint> Spread(Vector128<uint> bits) =>
        Exchange(Exchange(Exchange(Exchange(bits, 14, 0x0000cccc), 7, 0x00aa00aa), 3, 0x0a0a0a0a), 1, 0x22222222);

    /// <summary>Exchanges the bits of <paramref name="mask"/> with those <paramref name="distance"/> above them.</summary>
    private static Vector128<uint> Exchange(Vector128<uint> bits, int distance, uint mask)
    {
        Vector128<uint> different = (bits >> distance ^ bits) & Vector128.Create(mask);
        return bits ^ different ^ different << distance;
    }

    public override void DecodeRow(byte* panel, int row, Span<float> values)
    {
        for (int b = 0; b < values.Length / 32; b++, panel += BlockBytes)
        {
            float d = Scale(panel + ScaleBytes * row), min = HasMin ? Stored(panel + ScaleRegion + 2 * row) : 0;
            Span<float> block = values.Slice(32 * b, 32);
            for (int i = 0; i < 32; i++)
            {
                int half = i / 16, group = i % 16 / 4, q = panel[Quants + 64 * group + 4 * row + i % 4] >> (4 * half) & 15;
                if (HasHighBits) q |= (panel[Head + 4 * row + i % 4] >> (2 * group + half) & 1) << 4;
                float product = d * Steps[q];
                block[i] = HasMin ? product + min : product;
            }
        }
    }

    /// <summary>Stores the scales of a block, which are at byte <paramref name="at"/> of 16 rows; false when one does not fit.</summary>
    protected virtual bool TryStoreScales(byte** rows, nint at, byte* to) => StoredHalves.TryStore(rows, at, to);

    /// <summary>The scale that was stored.</summary>
    protected virtual float Scale(byte* at) => Stored(at);
}

internal sealed class PackedQ4_0 : PackedBlocks
{
    public override TensorType Type => TensorType.Q4_0;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Zero8;
    protected override ReadOnlySpan<sbyte> Steps => [-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7];
}

internal sealed class PackedQ4_1 : PackedBlocks
{
    public override TensorType Type => TensorType.Q4_1;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Sums;
    protected override bool HasMin => true;
    protected override ReadOnlySpan<sbyte> Steps => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
}

internal sealed class PackedQ5_0 : PackedBlocks
{
    public override TensorType Type => TensorType.Q5_0;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Zero16;
    protected override bool HasHighBits => true;
    protected override ReadOnlySpan<sbyte> Steps =>
        [-16, -15, -14, -13, -12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
}

internal sealed class PackedQ5_1 : PackedBlocks
{
    public override TensorType Type => TensorType.Q5_1;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Sums | ActivationForm.Zero16;
    protected override bool HasMin => true;
    protected override bool HasHighBits => true;
    protected override ReadOnlySpan<sbyte> Steps =>
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31];
}

internal sealed class PackedIQ4_NL : PackedBlocks
{
    public override TensorType Type => TensorType.IQ4_NL;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Zero8;
    protected override ReadOnlySpan<sbyte> Steps => IQ4_NLFormat.Steps;
}

/// <summary>The scale is stored as the exponent of a float32, which is one less than in the file.</summary>
internal sealed unsafe class PackedMXFP4 : PackedBlocks
{
    public override TensorType Type => TensorType.MXFP4;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Zero16;
    protected override int ScaleBytes => 1;
    protected override ReadOnlySpan<sbyte> Steps => MXFP4Format.DoubledFloats;

    /// <summary>Exponents 0 and 1 mean subnormal scales. They are stored as zero, which is right for the blocks of zeros that have them.</summary>
    protected override bool TryStoreScales(byte** rows, nint at, byte* to)
    {
        bool fits = true;
        for (int r = 0; r < 16; r++)
        {
            byte* block = rows[r] + at;
            to[r] = (byte)Math.Max(*block - 1, 0);
            fits &= *block > 1 || IsZero(new ReadOnlySpan<byte>(block + 1, 16));
        }
        return fits;

        static bool IsZero(ReadOnlySpan<byte> quants)
        {
            ReadOnlySpan<byte> zeros = [0x00, 0x08, 0x80, 0x88];
            return !quants.ContainsAnyExcept(zeros);
        }
    }

    protected override float Scale(byte* at) => BitConverter.Int32BitsToSingle(*at << 23);
}
