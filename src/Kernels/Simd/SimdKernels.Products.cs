namespace Inference.Kernels;

/// <summary>Weights, embedding and products: operands are checked here, the work is in the jobs of ProductJobs.cs.</summary>
internal sealed unsafe partial class SimdKernels
{
    // Everything of a product that lives longer than a call: jobs are refilled, buffers grow to the largest use.
    private readonly PackJob packJob = new();
    private readonly EmbedJob embedJob = new();
    private readonly PrepareJob prepareJob = new();
    private readonly ProductJob productJob = new();
    private readonly ProductInput input;
    private readonly WeightMemory weightMemory = new();
    private NativeBuffer? productScratch;

    /// <summary>
    /// Packs in parallel and lets the file go; a format without tiles is copied as it is. Without packing the weight reads the file
    /// at each use, and the caller keeps it mapped.
    /// </summary>
    public override Weight LoadWeight(in TensorSource source, bool exact)
    {
        PackedLayout? layout = PackedLayout.Find(exact ? TensorType.F32 : source.Format.Type);
        if (!pack || layout is null) return StoredWeight.Create(source, exact, keep: pack, Level);
        var weight = new PackedWeight(source.Name, layout, source.Rows, source.Columns, Level, weightMemory);
        packJob.Weight = weight;
        packJob.Source = source;
        packJob.Failed = false;
        pool.Run(packJob, weight.Panels);
        packJob.Weight = null!;
        if (!packJob.Failed) return weight;
        weight.Dispose();
        weightMemory.TakeBack();
        return StoredWeight.Create(source, exact, keep: true, Level);
    }

    public override void Embed(StepBatch batch, Weight table, Activations x)
    {
        Check(x, table.Columns, batch.RowCount, nameof(x));
        for (int r = 0; r < batch.RowCount; r++)
            if ((uint)batch.Tokens[r] >= (uint)table.Rows)
                throw new ArgumentException($"row {r}: token {batch.Tokens[r]} lies outside the {table.Rows} rows of '{table.Name}'", nameof(batch));
        embedJob.Table = (HostWeight)table;
        embedJob.Tokens = batch.Tokens;
        embedJob.X = Pointer(x);
        pool.Run(embedJob, batch.RowCount);
    }

    public override void NormLinear(StepBatch batch, Activations x, ParameterVector gain, float epsilon, ReadOnlySpan<Projection> projections)
    {
        ActivationForm forms = ActivationForm.None;
        foreach (Projection p in projections) forms |= ((HostWeight)p.Weight).Form;
        Prepare(x, null, 0, batch.RowCount, forms, gain, epsilon);
        while (projections.Length > 0)
        {
            int count = Math.Min(projections.Length, ProductJob.MaxProducts);
            productJob.Begin(input);
            foreach (Projection p in projections[..count]) AddProduct(p.Weight, p.Bias, p.Output, add: false);
            pool.Run(productJob, productJob.Chunks);
            projections = projections[count..];
        }
    }

    public override void LinearAdd(StepBatch batch, Activations x, Weight weight, ParameterVector? bias, Activations residual)
    {
        Prepare(x, null, 0, batch.RowCount, ((HostWeight)weight).Form, null, 0);
        Multiply(weight, bias, residual, add: true);
    }

    /// <summary>The activation is computed where the row is brought into the forms that the weight multiplies, so <paramref name="product"/> is never written.</summary>
    public override void GateUpLinearAdd(StepBatch batch, Activations gate, Activations up, Activations product, Weight weight, Activations residual)
    {
        Check(up, gate.Columns, batch.RowCount, nameof(up));
        Prepare(gate, null, 0, batch.RowCount, ((HostWeight)weight).Form, null, 0, up);
        Multiply(weight, null, residual, add: true);
    }

    public override void Logits(StepBatch batch, int first, int count, Activations x, ParameterVector gain, float epsilon, Weight head, Activations logits)
    {
        Prepare(x, batch.OutputRows, first, count, ((HostWeight)head).Form, gain, epsilon);
        Multiply(head, null, logits, add: false);
    }

    private void Multiply(Weight weight, ParameterVector? bias, Activations y, bool add)
    {
        productJob.Begin(input);
        AddProduct(weight, bias, y, add);
        pool.Run(productJob, productJob.Chunks);
    }

    private void AddProduct(Weight weight, ParameterVector? bias, Activations y, bool add)
    {
        if (input.Columns != weight.Columns) throw new ArgumentException($"'{weight.Name}' has {weight.Columns} columns, its input {input.Columns}", nameof(weight));
        if (bias is not null && bias.Length != weight.Rows) throw new ArgumentException($"bias of '{weight.Name}': expected {weight.Rows} elements, found {bias.Length}", nameof(bias));
        Check(y, weight.Rows, input.Tokens, nameof(y));
        productJob.Add((HostWeight)weight, Pointer(bias), Pointer(y), add, Threads);
    }

    /// <summary>Kernels work on raw pointers: what does not fit together is refused.</summary>
    private static void Check(Activations rows, int columns, int count, string name)
    {
        if (rows.Columns != columns || rows.Rows < count)
            throw new ArgumentException($"{name}: expected {count} rows of {columns}, found {rows.Rows} of {rows.Columns}", name);
    }

    /// <summary>Brings rows of x, or silu(x) * up, into the forms, and makes scratch for the products of them.</summary>
    private void Prepare(Activations x, int[]? rows, int first, int count, ActivationForm forms, ParameterVector? gain, float epsilon, Activations? up = null)
    {
        if (gain is not null && gain.Length != x.Columns) throw new ArgumentException($"{nameof(gain)}: expected {x.Columns} elements, found {gain.Length}", nameof(gain));
        for (int i = 0; rows is not null && i < count; i++)
            if ((uint)rows[first + i] >= (uint)x.Rows) throw new ArgumentException($"output row {rows[first + i]} lies outside the {x.Rows} rows of activations", nameof(rows));
        if (rows is null) Check(x, x.Columns, count, nameof(x));
        input.Begin(count, x.Columns, forms);
        // A thread's scratch holds what a weight decodes, or the sums of 64 rows for the tokens of a block.
        long stride = (Math.Max(HostWeight.ScratchFloats(x.Columns), 64 * ProductJob.MostTokens) + 63) / 64 * 64;
        if (productScratch is null || productScratch.Bytes < stride * Threads * sizeof(float))
        {
            productScratch?.Dispose();
            productScratch = new NativeBuffer(stride * Threads * sizeof(float));
        }
        productJob.Scratch = prepareJob.Scratch = (float*)productScratch.Pointer;
        productJob.ScratchStride = prepareJob.ScratchStride = stride;
        prepareJob.Input = input;
        prepareJob.X = Pointer(x);
        prepareJob.Gain = Pointer(gain);
        prepareJob.Epsilon = epsilon;
        prepareJob.Up = up is null ? null : Pointer(up);
        if (up is not null) prepareJob.Activation = gateUp ??= GateUpJob.Create(Level);
        prepareJob.Rows = rows;
        prepareJob.First = first;
        pool.Run(prepareJob, count);
    }

    private void DisposeProducts()
    {
        input.Dispose();
        weightMemory.Dispose();
        productScratch?.Dispose();
    }
}
