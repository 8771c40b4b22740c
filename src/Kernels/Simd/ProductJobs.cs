namespace Inference.Kernels;

/// <summary>Packs the panels of one weight.</summary>
internal sealed class PackJob : ParallelJob
{
    public PackedWeight Weight = null!;
    public TensorSource Source;
    public volatile bool Failed;

    public override void Run(int chunk, int thread)
    {
        if (!Failed && !Weight.Pack(Source, chunk)) Failed = true;
    }
}

/// <summary>Decodes the rows of an embedding table that the batch names.</summary>
internal sealed unsafe class EmbedJob : ParallelJob
{
    public HostWeight Table = null!;
    public int[] Tokens = [];
    public float* X;

    public override void Run(int chunk, int thread) => Table.DecodeRow(Tokens[chunk], new Span<float>(X + (long)chunk * Table.Columns, Table.Columns));
}

/// <summary>Brings rows into the forms of a <see cref="ProductInput"/>, normalised first where a gain is given, silu(x) * up where there is an up: a chunk for each row.</summary>
internal sealed unsafe class PrepareJob : ParallelJob
{
    public ProductInput Input = null!;
    public float* X, Gain, Up;
    public float Epsilon;
    public GateUpJob? Activation;

    /// <summary>Rows of <see cref="X"/> to take, or null for all.</summary>
    public int[]? Rows;

    /// <summary>Index of the first entry of <see cref="Rows"/>.</summary>
    public int First;

    /// <summary>[thread] a row of scratch.</summary>
    public float* Scratch;
    public long ScratchStride;

    public override void Run(int chunk, int thread)
    {
        float* x = X + (long)(Rows is null ? chunk : Rows[First + chunk]) * Input.Columns;
        if (Gain is not null)
        {
            float* normed = Scratch + thread * ScratchStride;
            ProductInput.Normalize(x, Gain, Epsilon, normed, Input.Columns);
            x = normed;
        }
        else if (Up is not null)
        {
            float* activated = Scratch + thread * ScratchStride;
            Activation!.Activate(x, Up + (long)chunk * Input.Columns, activated, Input.Columns);
            x = activated;
        }
        Input.Set(chunk, x);
    }
}

/// <summary>
/// Multiplies all panels of one or several weights by one input. A chunk is a run of panels: large enough to stream, small enough that every
/// thread gets several. Inside, tokens go in blocks whose activations stay in the second-level cache while the chunk's panels pass.
/// </summary>
internal sealed unsafe class ProductJob : ParallelJob
{
    /// <summary>Most products of one input.</summary>
    public const int MaxProducts = 8;

    /// <summary>Most tokens of a block.</summary>
    public const int MostTokens = 128;
    private const long LargestChunk = 512 << 10, SmallestChunk = 32 << 10, BlockBytes = 384 << 10;
    private const int ChunksPerThread = 4;

    private readonly HostWeight[] weights = new HostWeight[MaxProducts];
    private readonly ProductOutput[] outputs = new ProductOutput[MaxProducts];
    private readonly int[] panelsPerChunk = new int[MaxProducts], chunkEnd = new int[MaxProducts];
    private int count, tileBlock;

    public ProductInput Input = null!;
    public float* Scratch;
    public long ScratchStride;

    /// <summary>Chunks of all products.</summary>
    public int Chunks => count == 0 ? 0 : chunkEnd[count - 1];

    public void Begin(ProductInput input)
    {
        Input = input;
        count = 0;
        tileBlock = (int)Math.Max(1, Math.Min(MostTokens, BlockBytes / input.BytesPerToken) / input.Widest);
    }

    public void Add(HostWeight weight, float* bias, float* y, bool add, int threads)
    {
        long bytes = Math.Clamp(weight.PanelBytes * weight.Panels / (threads * ChunksPerThread), SmallestChunk, LargestChunk);
        int panels = (int)Math.Max(1, bytes / weight.PanelBytes);
        weights[count] = weight;
        outputs[count] = new ProductOutput(y, bias, weight.Rows, add);
        panelsPerChunk[count] = panels;
        chunkEnd[count] = Chunks + (weight.Panels + panels - 1) / panels;
        count++;
    }

    public override void Run(int chunk, int thread)
    {
        int i = 0;
        while (chunk >= chunkEnd[i]) i++;
        HostWeight weight = weights[i];
        int first = (chunk - (i == 0 ? 0 : chunkEnd[i - 1])) * panelsPerChunk[i], end = Math.Min(first + panelsPerChunk[i], weight.Panels);
        float* scratch = Scratch + thread * ScratchStride;
        for (int tile = 0; tile < Input.Tiles; tile += tileBlock)
            weight.Multiply(first, end, Input, tile, Math.Min(tile + tileBlock, Input.Tiles), outputs[i], scratch);
    }
}
