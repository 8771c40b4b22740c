namespace Inference.Kernels;

internal sealed unsafe partial class SimdKernels
{
    /// <summary>Rows decoded to float32.</summary>
    private sealed class DecodedWeight : Weight
    {
        private readonly NativeBuffer buffer;
        public float* Pointer => (float*)buffer.Pointer;

        /// <summary>Whether products take int8 activations.</summary>
        public bool Quantized { get; }

        public DecodedWeight(in TensorSource source, bool exact) : base(source.Name, TensorType.F32, source.Rows, source.Columns)
        {
            Quantized = !exact && source.Format.BlockElements > 1;
            buffer = new NativeBuffer((long)Rows * Columns * sizeof(float));
            for (int r = 0; r < Rows; r++) source.DecodeRow(r, new Span<float>(Pointer + (long)r * Columns, Columns));
        }

        public override long PackedBytes => buffer.Bytes;
        public override void Dispose() => buffer.Dispose();
    }

    private sealed class ProductJob : ParallelJob
    {
        public const int RowsPerChunk = 64;
        public DecodedWeight Weight = null!;
        public float* X, Bias, Y;
        public int Tokens;
        public bool Add;

        public override void Run(int chunk, int thread)
        {
            int k = Weight.Columns, end = Math.Min((chunk + 1) * RowsPerChunk, Weight.Rows);
            for (int r = chunk * RowsPerChunk; r < end; r++)
                for (int t = 0; t < Tokens; t++)
                {
                    float y = Sum(Weight.Pointer + (long)r * k, X + (long)t * k, k) + (Bias is null ? 0 : Bias[r]);
                    float* target = Y + (long)t * Weight.Rows + r;
                    *target = Add ? *target + y : y;
                }
        }

        private static float Sum(float* a, float* b, int n)
        {
            float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
            int i = 0;
            for (; i + 4 <= n; i += 4)
            {
                s0 += a[i] * b[i];
                s1 += a[i + 1] * b[i + 1];
                s2 += a[i + 2] * b[i + 2];
                s3 += a[i + 3] * b[i + 3];
            }
            for (; i < n; i++) s0 += a[i] * b[i];
            return s0 + s1 + (s2 + s3);
        }
    }

    private readonly ProductJob product = new();
    private HostRows? normed, rows8;

    public override Weight LoadWeight(in TensorSource source, bool exact) => new DecodedWeight(source, exact);

    public override void Embed(StepBatch batch, Weight table, Activations x)
    {
        for (int r = 0; r < batch.RowCount; r++)
            new ReadOnlySpan<float>(((DecodedWeight)table).Pointer + (long)batch.Tokens[r] * table.Columns, table.Columns).CopyTo(new Span<float>(((HostRows)x).Row(r), x.Columns));
    }

    public override void NormLinear(StepBatch batch, Activations x, ParameterVector gain, float epsilon, ReadOnlySpan<Projection> projections)
    {
        HostRows scratch = Scratch(x.Columns, batch.RowCount);
        for (int r = 0; r < batch.RowCount; r++) Normalize(((HostRows)x).Row(r), Pointer(gain), epsilon, scratch.Row(r), x.Columns);
        foreach (Projection p in projections) Multiply(p.Weight, scratch.Pointer, batch.RowCount, Pointer(p.Bias), Pointer(p.Output), add: false);
    }

    public override void LinearAdd(StepBatch batch, Activations x, Weight weight, ParameterVector? bias, Activations residual) =>
        Multiply(weight, Pointer(x), batch.RowCount, Pointer(bias), Pointer(residual), add: true);

    public override void Logits(StepBatch batch, int first, int count, Activations x, ParameterVector gain, float epsilon, Weight head, Activations logits)
    {
        HostRows scratch = Scratch(x.Columns, count);
        for (int i = 0; i < count; i++) Normalize(((HostRows)x).Row(batch.OutputRows[first + i]), Pointer(gain), epsilon, scratch.Row(i), x.Columns);
        Multiply(head, scratch.Pointer, count, null, Pointer(logits), add: false);
    }

    private HostRows Scratch(int columns, int rows)
    {
        if (normed is null || normed.Columns != columns || normed.Rows < rows) normed = new HostRows(rows, columns);
        return normed;
    }

    private static void Normalize(float* x, float* gain, float epsilon, float* y, int n)
    {
        float inverse = 1 / MathF.Sqrt(TensorSum(x, n) / n + epsilon);
        for (int i = 0; i < n; i++) y[i] = x[i] * inverse * gain[i];
    }

    private static float TensorSum(float* x, int n)
    {
        double sum = 0;
        for (int i = 0; i < n; i++) sum += (double)x[i] * x[i];
        return (float)sum;
    }

    private void Multiply(Weight weight, float* x, int tokens, float* bias, float* y, bool add)
    {
        product.Weight = (DecodedWeight)weight;
        if (product.Weight.Quantized)
        {
            HostRows rounded = rows8 is { } r && r.Columns == weight.Columns && r.Rows >= tokens ? r : rows8 = new HostRows(tokens, weight.Columns);
            Linear.RoundActivations(new ReadOnlySpan<float>(x, tokens * weight.Columns)).CopyTo(new Span<float>(rounded.Pointer, tokens * weight.Columns));
            x = rounded.Pointer;
        }
        product.X = x;
        product.Bias = bias;
        product.Y = y;
        (product.Tokens, product.Add) = (tokens, add);
        pool.Run(product, (weight.Rows + ProductJob.RowsPerChunk - 1) / ProductJob.RowsPerChunk);
    }
}
