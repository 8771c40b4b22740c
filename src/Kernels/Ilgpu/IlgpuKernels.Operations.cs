using System.Numerics;
using ILGPU;

namespace Inference.Kernels;

/// <summary>Norms, products and elementwise operations.</summary>
internal sealed partial class IlgpuKernels
{
    public override void Embed(StepBatch batch, Weight table, Activations x)
    {
        var weight = (DeviceWeight)table;
        weight.Kernels.Embed.Launch(loader, Groups(weight.Columns, batch.RowCount),
            new() { Table = weight.View, Tokens = State(batch).Tokens, X = ((DeviceRows)x).Values, Columns = weight.Columns });
    }

    public override void NormLinear(StepBatch batch, Activations x, ParameterVector gain, float epsilon, ReadOnlySpan<Projection> projections)
    {
        bool floats = false, quants = false;
        foreach (Projection p in projections)
        {
            bool quantized = ((DeviceWeight)p.Weight).Kernels.Quantized;
            (floats, quants) = (floats || !quantized, quants || quantized);
        }
        Norm(batch, State(batch).Identity, batch.RowCount, x, gain, epsilon, floats, quants, out QuantizedRows rows, out ArrayView<Float4> normed);
        foreach (Projection p in projections) Multiply((DeviceWeight)p.Weight, rows, normed, p.Bias, (DeviceRows)p.Output, batch.RowCount, accumulate: false);
    }

    public override void LinearAdd(StepBatch batch, Activations x, Weight weight, ParameterVector? bias, Activations residual)
    {
        var packed = (DeviceWeight)weight;
        ArrayView<Float4> values = ((DeviceRows)x).Vectors;
        QuantizedRows rows = NoQuants(packed.Columns);
        if (packed.Kernels.Quantized)
        {
            rows = scratch.Quantized(batch.Capacity.Rows, packed.Columns);
            table.Quantize.Launch(loader, Groups(rows.Chunks, batch.RowCount), new() { X = values, Quantized = rows });
        }
        Multiply(packed, rows, values, bias, (DeviceRows)residual, batch.RowCount, accumulate: true);
    }

    public override void GateUpActivation(StepBatch batch, Activations gate, Activations up, Activations output)
    {
        int count = checked(batch.RowCount * output.Columns);
        table.GateUp.Launch(loader, Groups(count), new() { Gate = ((DeviceRows)gate).Values, Up = ((DeviceRows)up).Values, Output = ((DeviceRows)output).Values, Count = count });
    }

    public override void Logits(StepBatch batch, int first, int count, Activations x, ParameterVector gain, float epsilon, Weight head, Activations logits)
    {
        var packed = (DeviceWeight)head;
        bool quantized = packed.Kernels.Quantized;
        Norm(batch, State(batch).OutputRows.SubView(first, count), count, x, gain, epsilon, !quantized, quantized, out QuantizedRows rows, out ArrayView<Float4> normed);
        Multiply(packed, rows, normed, null, (DeviceRows)logits, count, accumulate: false);
    }

    /// <summary>Norms the mapped rows of x into scratch memory, in the forms that the products want.</summary>
    private void Norm(StepBatch batch, ArrayView<int> map, int count, Activations x, ParameterVector gain, float epsilon, bool floats, bool quants,
        out QuantizedRows rows, out ArrayView<Float4> normed)
    {
        int columns = x.Columns;
        rows = quants ? scratch.Quantized(batch.Capacity.Rows, columns) : NoQuants(columns);
        normed = floats ? scratch.Floats(batch.Capacity.Rows, columns) : scratch.Floats(1, 4);
        DeviceKernel<RmsNormArgs> kernel = floats ? quants ? table.NormBoth : table.NormFloats : table.NormQuants;
        kernel.Launch(loader, new Index3D(count, 1, 1), new()
        {
            X = ((DeviceRows)x).Vectors,
            RowMap = map,
            Gain = ((DeviceVector)gain).Vectors,
            Normed = normed,
            Quantized = rows,
            Columns = columns,
            Epsilon = epsilon,
        });
    }

    /// <summary>y = W x for the first rows of the scratch or activation memory.</summary>
    private void Multiply(DeviceWeight weight, QuantizedRows rows, ArrayView<Float4> x, ParameterVector? bias, DeviceRows y, int tokens, bool accumulate)
    {
        int tile = Math.Min(BitOperations.Log2((uint)tokens * 2 - 1), weight.Kernels.Linear.Length - 1), tileTokens = 1 << tile;
        weight.Kernels.Linear[tile].Launch(loader, new Index3D((weight.Rows + table.LinearRows - 1) / table.LinearRows, (tokens + tileTokens - 1) / tileTokens, 1), new()
        {
            Weights = weight.View,
            Quantized = rows,
            X = x,
            Bias = bias is DeviceVector b ? b.Values : y.Values,
            Y = y.Values,
            Tokens = tokens,
            HasBias = bias is null ? 0 : 1,
            Accumulate = accumulate ? 1 : 0,
        });
    }

    /// <summary>Views of something, for kernels that will not look: a view of nothing is not a valid argument everywhere.</summary>
    private QuantizedRows NoQuants(int columns) => scratch.Quantized(1, 32) with { Chunks = columns / 32 };
}
