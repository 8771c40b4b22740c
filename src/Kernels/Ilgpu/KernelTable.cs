namespace Inference.Kernels;

/// <summary>Packs row <paramref name="row"/> of a matrix out of a file's blocks.</summary>
internal delegate void PackRow(ReadOnlySpan<byte> blocks, in PackedHost packed, int row);

/// <summary>The kernels that read one layout of weights.</summary>
/// <param name="Quantized">Whether products take int8 activations.</param>
/// <param name="Embed">Gather of decoded rows.</param>
/// <param name="Linear">Products for tiles of 1, 2, 4 and 8 tokens.</param>
internal sealed record WeightKernels(bool Quantized, DeviceKernel<EmbedArgs> Embed, DeviceKernel<LinearArgs>[] Linear);

/// <summary>A format that is packed at load.</summary>
/// <param name="Type">The format.</param>
/// <param name="Sizes">Array sizes of a packed matrix of so many rows and columns.</param>
/// <param name="PackRow">Packs one row.</param>
/// <param name="Kernels">What reads the packed form.</param>
internal sealed record PackedKernels(TensorType Type, Func<int, int, PackedSizes> Sizes, PackRow PackRow, WeightKernels Kernels);

/// <summary>A format that is kept as in the file and decoded at each use.</summary>
/// <param name="Type">The format.</param>
/// <param name="Decode">Decodes rows to scratch memory.</param>
/// <param name="Kernels">What reads the decoded form.</param>
internal sealed record StoredKernels(TensorType Type, DeviceKernel<DecodeRowsArgs> Decode, WeightKernels Kernels);

/// <summary>The kernels of one pair of KV types.</summary>
/// <param name="QkvRopeWrite">[norm]</param>
/// <param name="Attention">[index of the dim][log2 of the tile's queries]</param>
internal sealed record KvKernels(DeviceKernel<QkvRopeWriteArgs>[] QkvRopeWrite, DeviceKernel<AttentionArgs>[][] Attention);

/// <summary>
/// Every kernel that <see cref="IlgpuKernels"/> may launch, for one instruction set and one choice of groups. This is the only place that makes
/// kernels, and tests compile all of <see cref="All"/>. Nothing is compiled until its first launch.
/// </summary>
internal sealed class KernelTable
{
    /// <summary>Head dims that attention is compiled for; a model takes the first that is large enough.</summary>
    public static ReadOnlySpan<int> AttentionDims => [64, 128, 256];

    /// <summary>Every kernel of the table; lists the kernels of all KV types first.</summary>
    public IReadOnlyList<DeviceKernel> All
    {
        get
        {
            foreach (Lazy<KvKernels>[] values in KvPairs)
                foreach (Lazy<KvKernels> pair in values) _ = pair.Value;
            return Listed;
        }
    }

    /// <summary>The kernels made so far.</summary>
    public required IReadOnlyList<DeviceKernel> Listed { get; init; }

    /// <summary>Threads of an elementwise group.</summary>
    public required int ElementThreads { get; init; }

    /// <summary>Rows of a product in one group.</summary>
    public required int LinearRows { get; init; }

    /// <summary>One entry to a format with kernels of its own.</summary>
    public required PackedKernels[] Packed { get; init; }

    /// <summary>One entry to any other format.</summary>
    public required StoredKernels[] Stored { get; init; }

    public required DeviceKernel<RmsNormArgs> NormFloats { get; init; }
    public required DeviceKernel<RmsNormArgs> NormQuants { get; init; }
    public required DeviceKernel<RmsNormArgs> NormBoth { get; init; }
    public required DeviceKernel<QuantizeArgs> Quantize { get; init; }
    public required DeviceKernel<GateUpArgs> GateUp { get; init; }
    public required DeviceKernel<TableUpdateArgs> TableUpdate { get; init; }
    public required DeviceKernel<AttentionMergeArgs> AttentionMerge { get; init; }

    /// <summary>[key type][value type]; made when first asked for, since a model uses one pair of 25.</summary>
    public required Lazy<KvKernels>[][] KvPairs { get; init; }

    /// <summary>The kernels of a pair of KV types.</summary>
    public KvKernels Kv(KvLayout layout) => KvPairs[(int)layout.KeyType][(int)layout.ValueType].Value;

    /// <summary>Index of the smallest compiled dim that holds both head dims.</summary>
    /// <exception cref="NotSupportedException">A head dim is above 256 or no multiple of 16.</exception>
    public static int DimIndex(int keyDim, int valueDim)
    {
        int dim = Math.Max(keyDim, valueDim);
        for (int i = 0; i < AttentionDims.Length; i++)
            if (dim <= AttentionDims[i] && keyDim % 16 == 0 && valueDim % 16 == 0) return i;
        throw new NotSupportedException($"head dims {keyDim} (keys) and {valueDim} (values): expected multiples of 16 up to {AttentionDims[^1]}");
    }

    /// <summary>Makes the table of one instruction set and choice of groups.</summary>
    public static KernelTable Create<TIsa, TGroups>() where TIsa : struct, IIsa where TGroups : struct, IGroups => new Builder<TIsa, TGroups>().Build();

    private sealed class Builder<TIsa, TGroups> where TIsa : struct, IIsa where TGroups : struct, IGroups
    {
        private readonly List<DeviceKernel> all = [];

        public KernelTable Build() => new()
        {
            Listed = all,
            ElementThreads = TGroups.ElementThreads,
            LinearRows = TGroups.Rows,
            Packed =
            [
                Floats<DeviceF32>(), Floats<DeviceF16>(), Floats<DeviceBF16>(),
                Quantized<DeviceQ8_0>(), Quantized<DeviceQ4_0>(), Quantized<DeviceQ4_K>(), Quantized<DeviceQ5_K>(), Quantized<DeviceQ6_K>(),
                Quantized<DeviceIQ4_NL>(), Quantized<DeviceIQ4_XS>(), Quantized<DeviceMXFP4>(),
            ],
            Stored = StoredFormats(),
            NormFloats = Add<RmsNormArgs>("RmsNorm floats", RmsNormKernel.Run<TIsa, TGroups, C1, C0>, TGroups.NormThreads),
            NormQuants = Add<RmsNormArgs>("RmsNorm quants", RmsNormKernel.Run<TIsa, TGroups, C0, C1>, TGroups.NormThreads),
            NormBoth = Add<RmsNormArgs>("RmsNorm both", RmsNormKernel.Run<TIsa, TGroups, C1, C1>, TGroups.NormThreads),
            Quantize = Add<QuantizeArgs>("Quantize", ActivationQuantizationKernel.Run<TGroups>, TGroups.ElementThreads),
            GateUp = Add<GateUpArgs>("GateUp", GateUpKernel.Run<TGroups>, TGroups.ElementThreads),
            TableUpdate = Add<TableUpdateArgs>("TableUpdate", TableUpdateKernel.Run<TGroups>, TGroups.ElementThreads),
            AttentionMerge = Add<AttentionMergeArgs>("AttentionMerge", Kernels.AttentionMerge.Run<TIsa, TGroups>, TGroups.HeadThreads),
            KvPairs = [KvPairs<KvF32>(), KvPairs<KvF16>(), KvPairs<KvBF16>(), KvPairs<KvQ8_0>(), KvPairs<KvQ4_0>()],
        };

        private Lazy<KvKernels>[] KvPairs<TKey>() where TKey : struct, IKvElement => [Pair<TKey, KvF32>(), Pair<TKey, KvF16>(), Pair<TKey, KvBF16>(), Pair<TKey, KvQ8_0>(), Pair<TKey, KvQ4_0>()];

        private Lazy<KvKernels> Pair<TKey, TValue>() where TKey : struct, IKvElement where TValue : struct, IKvElement => new(() => new KvKernels(Rope<TKey, TValue>(), Attend<TKey, TValue>()));

        private DeviceKernel<TArgs> Add<TArgs>(string name, Action<TArgs> kernel, int groupSize) where TArgs : struct
        {
            var added = new DeviceKernel<TArgs>(name, kernel, groupSize);
            all.Add(added);
            return added;
        }

        private StoredKernels[] StoredFormats()
        {
            WeightKernels unpacked = Products<DeviceUnpacked<C0>>("unpacked"), unpackedMin = Products<DeviceUnpacked<C1>>("unpacked-min");
            StoredKernels Stored<TFormat>() where TFormat : struct, IStoredFormat => new(TFormat.Type,
                Add<DecodeRowsArgs>($"DecodeRows {TFormat.Type}", DecodeRowsKernel.Run<TFormat, TIsa, TGroups>, TGroups.ElementThreads), TFormat.HasMin ? unpackedMin : unpacked);
            return
            [
                Stored<StoredQ4_1>(), Stored<StoredQ5_0>(), Stored<StoredQ5_1>(), Stored<StoredQ2_K>(), Stored<StoredQ3_K>(),
                Stored<StoredIQ1_S>(), Stored<StoredIQ1_M>(), Stored<StoredIQ2_XXS>(), Stored<StoredIQ2_XS>(), Stored<StoredIQ2_S>(), Stored<StoredIQ3_XXS>(), Stored<StoredIQ3_S>(),
                Stored<StoredTQ1_0>(), Stored<StoredTQ2_0>(), Stored<StoredNVFP4>(), Stored<StoredQ1_0>(), Stored<StoredQ2_0>(),
            ];
        }

        private PackedKernels Quantized<TFormat>() where TFormat : struct, IPackedFormat, IQuantizedFormat =>
            new(TFormat.Type, TFormat.Sizes, TFormat.PackRow, Products<TFormat>(TFormat.Type.ToString()));

        private WeightKernels Products<TFormat>(string name) where TFormat : struct, IQuantizedFormat => new(true, Embed<TFormat>(name),
        [
            Linear(name, 1, LinearKernel.Quantized<TFormat, TIsa, TGroups, QuantizedToken>),
            Linear(name, 2, LinearKernel.Quantized<TFormat, TIsa, TGroups, QuantizedPair<QuantizedToken>>),
            Linear(name, 4, LinearKernel.Quantized<TFormat, TIsa, TGroups, QuantizedPair<QuantizedPair<QuantizedToken>>>),
            Linear(name, 8, LinearKernel.Quantized<TFormat, TIsa, TGroups, QuantizedPair<QuantizedPair<QuantizedPair<QuantizedToken>>>>),
        ]);

        private PackedKernels Floats<TFormat>() where TFormat : struct, IPackedFormat, IFloatFormat
        {
            string name = TFormat.Type.ToString();
            return new(TFormat.Type, TFormat.Sizes, TFormat.PackRow, new(false, Embed<TFormat>(name),
            [
                Linear(name, 1, LinearKernel.Floats<TFormat, TIsa, TGroups, FloatToken>),
                Linear(name, 2, LinearKernel.Floats<TFormat, TIsa, TGroups, FloatPair<FloatToken>>),
                Linear(name, 4, LinearKernel.Floats<TFormat, TIsa, TGroups, FloatPair<FloatPair<FloatToken>>>),
                Linear(name, 8, LinearKernel.Floats<TFormat, TIsa, TGroups, FloatPair<FloatPair<FloatPair<FloatToken>>>>),
            ]));
        }

        private DeviceKernel<LinearArgs> Linear(string name, int tokens, Action<LinearArgs> kernel) => Add($"Linear {name} x{tokens}", kernel, TGroups.Lanes * TGroups.Rows);

        private DeviceKernel<EmbedArgs> Embed<TFormat>(string name) where TFormat : struct, IDeviceFormat =>
            Add<EmbedArgs>($"Embed {name}", EmbedKernel.Run<TFormat, TIsa, TGroups>, TGroups.ElementThreads);

        private DeviceKernel<QkvRopeWriteArgs>[] Rope<TKey, TValue>() where TKey : struct, IKvElement where TValue : struct, IKvElement =>
        [
            Add<QkvRopeWriteArgs>($"QkvRopeWrite {TKey.Type} {TValue.Type}", QkvRopeWriteKernel.Run<TKey, TValue, TIsa, TGroups, C0>, TGroups.HeadThreads),
            Add<QkvRopeWriteArgs>($"QkvRopeWrite {TKey.Type} {TValue.Type} norm", QkvRopeWriteKernel.Run<TKey, TValue, TIsa, TGroups, C1>, TGroups.HeadThreads),
        ];

        private DeviceKernel<AttentionArgs>[][] Attend<TKey, TValue>() where TKey : struct, IKvElement where TValue : struct, IKvElement =>
            [Attend<TKey, TValue, C64>(true), Attend<TKey, TValue, C128>(true), Attend<TKey, TValue, C256>(false)];

        /// <summary>Tiles of 1, 2, 4 and, where shared memory holds it, 8 queries.</summary>
        private DeviceKernel<AttentionArgs>[] Attend<TKey, TValue, TDim>(bool eight) where TKey : struct, IKvElement where TValue : struct, IKvElement where TDim : struct, IConst
        {
            DeviceKernel<AttentionArgs> Tile<TScores, TSums>() where TScores : struct, IScoreTile<TScores> where TSums : struct, ISumTile<TSums> =>
                Add<AttentionArgs>($"Attention {TKey.Type} {TValue.Type} dim {TDim.Value} x{TScores.Count}",
                    AttentionKernel.Run<TKey, TValue, TIsa, TGroups, TDim, TScores, TSums>, TGroups.AttentionThreads);

            DeviceKernel<AttentionArgs>[] tiles =
                [Tile<OneScore, OneSum>(), Tile<ScorePair<OneScore>, SumPair<OneSum>>(), Tile<ScorePair<ScorePair<OneScore>>, SumPair<SumPair<OneSum>>>()];
            return eight ? [.. tiles, Tile<ScorePair<ScorePair<ScorePair<OneScore>>>, SumPair<SumPair<SumPair<OneSum>>>>()] : tiles;
        }
    }
}
