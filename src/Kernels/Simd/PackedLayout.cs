namespace Inference.Kernels;

/// <summary>
/// How a weight matrix of one format lies in memory for the tiles: panels of 16 or 64 rows, one after another, columns in order inside. It is the
/// same for all instruction sets, for one token and for many, loses nothing, and is about as large as the file's form.
/// </summary>
internal abstract unsafe class PackedLayout
{
    private static readonly PackedLayout[] All =
    [
        new PackedF32(), new PackedF16(), new PackedBF16(), new PackedQ8_0(), new PackedQ4_0(), new PackedQ4_1(), new PackedQ5_0(), new PackedQ5_1(), new PackedMXFP4(),
        new PackedIQ4_NL(), new PackedQ2_K(), new PackedQ3_K(), new PackedQ4_K(), new PackedQ5_K(), new PackedQ6_K(), new PackedIQ4_XS(),
    ];

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
    public abstract ActivationForm Form { get; }

    /// <summary>Bytes of a panel.</summary>
    public abstract long PanelBytes(int columns);

    /// <summary>
    /// Columns that a tile multiplies at once, going on from the sums before; 0: all. A float panel is long (512 KiB at 4,096 columns of float16): many
    /// tokens would read it from memory again and again, and find 512 columns of it in the cache.
    /// </summary>
    public virtual int ColumnsPerPass => 0;

    /// <summary>Columns that are packed at once for all rows of a panel, so that the lines that its rows share stay in the first-level cache.</summary>
    public int ColumnsAtOnce => PanelRows == 16 ? 256 : 64;

    /// <summary>Packs some columns of all rows of a panel, every bit of them. False when they hold a number that the packed form cannot.</summary>
    /// <param name="rows">For each row of the panel where it has those columns, in the file's form.</param>
    /// <param name="columns">Whole blocks.</param>
    /// <param name="panel">Where the panel holds those columns.</param>
    public abstract bool Pack(byte** rows, int columns, byte* panel);

    /// <summary>Decodes a row of a panel: the same bits as <see cref="TensorFormat.Decode"/> of the file's row.</summary>
    public abstract void DecodeRow(byte* panel, int row, Span<float> values);

    /// <summary>The number that <see cref="StoredHalves"/> stored.</summary>
    protected static float Stored(byte* at) => Half16.ToSingle(*(ushort*)at) * (1 / TileConstants.StoredFactor);
}
