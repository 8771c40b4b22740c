namespace Inference.Kernels.Cases;

/// <summary>Matrix products of every format: LinearAdd, NormLinear over three projections, Logits, Embed.</summary>
internal static class ProductCases
{
    /// <summary>A batch of unrelated rows, each the only token of its sequence.</summary>
    public static StepBatch Rows(int rows, int vocabulary, int seed)
    {
        var batch = new StepBatch(new StepCapacity(rows, rows, 1, 2)) { RowCount = rows, SequenceCount = rows, OutputCount = rows };
        var random = new Random(seed);
        for (int r = 0; r < rows; r++)
        {
            batch.Tokens[r] = random.Next(vocabulary);
            batch.RowSequence[r] = batch.QueryStart[r] = batch.TableSlot[r] = batch.OutputRows[r] = r;
            batch.QueryCount[r] = batch.KvLength[r] = 1;
        }
        return batch;
    }

    public static OperationCase LinearAdd(TensorFormat format, int tokens, int columns, int rows, bool bias = false, bool exact = false) => new(
        "LinearAdd", $"{format.Name}{(exact ? " exact" : "")} {tokens}x{columns}x{rows}{(bias ? " bias" : "")}", 2e-5,
        format.RowBytes(columns) * rows + 4L * tokens * (columns + rows), 2L * tokens * columns * rows,
        kernels =>
        {
            using var tensor = new RandomTensor(format, rows, columns, 1);
            StepBatch batch = Rows(tokens, 1, 2);
            Weight weight = kernels.LoadWeight(tensor.Source, exact);
            ParameterVector? b = bias ? kernels.LoadVector(RandomTensor.Activations(rows, 3)) : null;
            Activations x = kernels.AllocateActivations(tokens, columns), y = kernels.AllocateActivations(tokens, rows);
            kernels.Fill(x, RandomTensor.Activations(tokens * columns, 4));
            kernels.Fill(y, RandomTensor.Activations(tokens * rows, 5));
            kernels.Upload(batch);
            return new PreparedCase(kernels, () => kernels.LinearAdd(batch, x, weight, b, y), y, tokens, weight, x, y);
        });

    /// <summary>Three projections of different formats and heights behind one norm; <paramref name="which"/> is the one that is read.</summary>
    public static OperationCase NormLinear(TensorFormat[] formats, int tokens, int columns, int[] rows, int which, bool bias) => new(
        "NormLinear", $"{string.Join('+', formats.Select(f => f.Name))} {tokens}x{columns}x{string.Join('+', rows)} [{which}]{(bias ? " bias" : "")}",
        // The norm's last bit can turn one int8 quant over: one step of 127 in a sum of `columns` terms.
        formats[which].BlockElements > 1 ? 5e-3 : 2e-5,
        formats.Zip(rows).Sum(p => p.First.RowBytes(columns) * p.Second) + 4L * tokens * (columns + rows.Sum()), 2L * tokens * columns * rows.Sum(),
        kernels =>
        {
            StepBatch batch = Rows(tokens, 1, 2);
            var projections = new Projection[formats.Length];
            for (int i = 0; i < formats.Length; i++)
            {
                using var tensor = new RandomTensor(formats[i], rows[i], columns, 10 + i);
                projections[i] = new Projection(kernels.LoadWeight(tensor.Source, exact: false),
                    bias ? kernels.LoadVector(RandomTensor.Activations(rows[i], 20 + i)) : null, kernels.AllocateActivations(tokens, rows[i]));
            }
            Activations x = kernels.AllocateActivations(tokens, columns);
            kernels.Fill(x, RandomTensor.Activations(tokens * columns, 4));
            ParameterVector gain = kernels.LoadVector(RandomTensor.Activations(columns, 6));
            kernels.Upload(batch);
            return new PreparedCase(kernels, () => kernels.NormLinear(batch, x, gain, 1e-5f, projections), projections[which].Output, tokens,
                [x, gain, .. projections.Select(p => p.Weight), .. projections.Select(p => p.Output)]);
        });

    /// <summary>Every second row is an output; the call asks for all but the first of them.</summary>
    public static OperationCase Logits(TensorFormat format, int tokens, int columns, int vocabulary) => new(
        "Logits", $"{format.Name} {tokens}x{columns}x{vocabulary}", format.BlockElements > 1 ? 5e-3 : 2e-5,
        format.RowBytes(columns) * vocabulary + 4L * tokens * (columns + vocabulary), 2L * Math.Max(1, tokens / 2) * columns * vocabulary,
        kernels =>
        {
            using var tensor = new RandomTensor(format, vocabulary, columns, 1);
            StepBatch batch = Rows(tokens, 1, 2);
            batch.OutputCount = (tokens + 1) / 2;
            for (int i = 0; i < batch.OutputCount; i++) batch.OutputRows[i] = 2 * i;
            int first = batch.OutputCount > 1 ? 1 : 0, count = batch.OutputCount - first;
            Weight head = kernels.LoadWeight(tensor.Source, exact: false);
            Activations x = kernels.AllocateActivations(tokens, columns), logits = kernels.AllocateActivations(count, vocabulary);
            kernels.Fill(x, RandomTensor.Activations(tokens * columns, 4));
            ParameterVector gain = kernels.LoadVector(RandomTensor.Activations(columns, 6));
            kernels.Upload(batch);
            return new PreparedCase(kernels, () => kernels.Logits(batch, first, count, x, gain, 1e-6f, head, logits), logits, count, head, x, logits, gain);
        });

    public static OperationCase Embed(TensorFormat format, int tokens, int columns, int vocabulary) => new(
        "Embed", $"{format.Name} {tokens}x{columns} of {vocabulary}", 1e-6, tokens * (format.RowBytes(columns) + 4L * columns), 0,
        kernels =>
        {
            using var tensor = new RandomTensor(format, vocabulary, columns, 1);
            StepBatch batch = Rows(tokens, vocabulary, 2);
            Weight table = kernels.LoadWeight(tensor.Source, exact: false);
            Activations x = kernels.AllocateActivations(tokens, columns);
            kernels.Upload(batch);
            return new PreparedCase(kernels, () => kernels.Embed(batch, table, x), x, tokens, table, x);
        });

    public static OperationCase GateUp(int tokens, int columns) => new(
        "GateUpActivation", $"{tokens}x{columns}", 2e-6, 12L * tokens * columns, 10L * tokens * columns,
        kernels =>
        {
            StepBatch batch = Rows(tokens, 1, 2);
            Activations gate = kernels.AllocateActivations(tokens, columns), up = kernels.AllocateActivations(tokens, columns), y = kernels.AllocateActivations(tokens, columns);
            kernels.Fill(gate, RandomTensor.Activations(tokens * columns, 4).Select(v => v * 12).ToArray());
            kernels.Fill(up, RandomTensor.Activations(tokens * columns, 5));
            kernels.Upload(batch);
            return new PreparedCase(kernels, () => kernels.GateUpActivation(batch, gate, up, y), y, tokens, gate, up, y);
        });
}
