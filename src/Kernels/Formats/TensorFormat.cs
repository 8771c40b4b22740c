namespace Inference.Kernels;

/// <summary>
/// One storage format of a tensor: how many elements stand in a block of how many bytes, and which float32 values they mean.
/// Adding a format is one file with a subclass and one line in <see cref="All"/>.
/// </summary>
internal abstract class TensorFormat
{
    /// <summary>Every format this build reads. A new format is registered here.</summary>
    public static IReadOnlyList<TensorFormat> All { get; } =
    [
        new F32Format(), new F16Format(), new BF16Format(),
        new Q8_0Format(), new Q4_0Format(), new Q4_1Format(), new Q5_0Format(), new Q5_1Format(),
        new Q2_KFormat(), new Q3_KFormat(), new Q4_KFormat(), new Q5_KFormat(), new Q6_KFormat(),
        new IQ1_SFormat(), new IQ1_MFormat(), new IQ2_XXSFormat(), new IQ2_XSFormat(), new IQ2_SFormat(), new IQ3_XXSFormat(), new IQ3_SFormat(),
        new IQ4_NLFormat(), new IQ4_XSFormat(), new TQ1_0Format(), new TQ2_0Format(),
        new MXFP4Format(), new NVFP4Format(), new Q1_0Format(), new Q2_0Format(),
    ];

    /// <summary>GGUF type number and name.</summary>
    public abstract TensorType Type { get; }

    /// <summary>Elements in one block; a row holds a whole number of blocks.</summary>
    public abstract int BlockElements { get; }

    /// <summary>Bytes of one block in the file.</summary>
    public abstract int BlockBytes { get; }

    /// <summary>The format's name as the GGUF world writes it, for example <c>Q4_K</c>.</summary>
    public string Name => Type.ToString();

    /// <summary>Decodes whole blocks: <paramref name="blocks"/> holds n * <see cref="BlockBytes"/> bytes, <paramref name="values"/> n * <see cref="BlockElements"/> floats. Bit-exact with ggml.</summary>
    public abstract void Decode(ReadOnlySpan<byte> blocks, Span<float> values);

    /// <summary>Bytes of a row of <paramref name="columns"/> elements, a multiple of <see cref="BlockElements"/>.</summary>
    public long RowBytes(long columns) => columns / BlockElements * BlockBytes;

    /// <summary>The format with that type number, or null when this build does not read it.</summary>
    public static TensorFormat? Find(TensorType type)
    {
        foreach (TensorFormat format in All)
            if (format.Type == type) return format;
        return null;
    }

    /// <summary>The format of a type that this build is known to read.</summary>
    public static TensorFormat Of(TensorType type) => Find(type) ?? throw new ArgumentOutOfRangeException(nameof(type), type, "no such tensor format");
}
