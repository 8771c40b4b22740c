using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// How a weight matrix of one format lies in memory for the tiles: panels of 16 or 64 rows, one after another, columns in order inside. It is the
/// same for all instruction sets, for one token and for many, loses nothing, and is about as large as the file's form.
/// </summary>
internal abstract unsafe class PackedLayout
{
    private static readonly PackedLayout[] All =
        [new PackedF32(), new PackedF16(), new PackedBF16(), new PackedQ8_0(), new PackedQ4_0(), new PackedQ4_K(), new PackedQ6_K()];

    /// <summary>The layout of a type, or null when the type has no tiles: then its rows are decoded at each use.</summary>
    public static PackedLayout? Find(TensorType type)
    {
        foreach (PackedLayout layout in All)
            if (layout.Type == type) return layout;
        return null;
    }

    public abstract TensorType Type { get; }

    /// <summary>Rows of a panel; the last panel is filled up with zeros.</summary>
    public virtual int PanelRows => 16;

    /// <summary>What the tiles multiply by.</summary>
    public virtual ActivationForm Form => ActivationForm.Int8;

    /// <summary>Bytes of a panel.</summary>
    public abstract long PanelBytes(int columns);

    /// <summary>Packs row <paramref name="row"/> of a zeroed panel. False when the row holds a number that the packed form cannot.</summary>
    /// <param name="source">The row as in the file.</param>
    /// <param name="panel">First byte of the panel.</param>
    /// <param name="row">Row of the panel.</param>
    public abstract bool PackRow(ReadOnlySpan<byte> source, byte* panel, int row);

    /// <summary>Decodes a row of a panel: the same bits as <see cref="TensorFormat.Decode"/> of the file's row.</summary>
    public abstract void DecodeRow(byte* panel, int row, Span<float> values);

    /// <summary>The float16 number times <see cref="TileConstants.StoredFactor"/>, as float16. False for one that does not fit.</summary>
    protected static bool TryStore(ReadOnlySpan<byte> half, byte* to)
    {
        float value = Half16.ToSingle(MemoryMarshal.Read<ushort>(half));
        *(ushort*)to = Half16.FromSingle(value * TileConstants.StoredFactor);
        return MathF.Abs(value) < 65536 / TileConstants.StoredFactor;
    }

    /// <summary>The number that <see cref="TryStore"/> stored.</summary>
    protected static float Stored(byte* at) => Half16.ToSingle(*(ushort*)at) * (1 / TileConstants.StoredFactor);
}
