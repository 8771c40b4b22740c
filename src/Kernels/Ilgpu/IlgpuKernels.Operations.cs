using System.Numerics;
using ILGPU;

namespace Inference.Kernels;

/// <summary>Norms, products and elementwise operations.</summary>
internal sealed partial class IlgpuKernels
{
    public override void Embed(StepBatch batch, Weight table, Activations x)
    {
        var weight = (DeviceWeight)table;
        DeviceBatch state = State(batch);
        ArrayView<float> values = ((DeviceRows)x).Values;
        if (weight is StoredDeviceWeight stored)
        {
            int tile = unpacked!.Rows(weight.Columns);
            for (int first = 0; first < batch.RowCount; first += tile)
            {
                int count = Math.Min(tile, batch.RowCount - first);
                PackedMatrix rows = Decode(stored, state.Tokens, mapped: true, first, count);
                weight.Kernels.Embed.Launch(loader, Groups(weight.Columns, count),
                    new() { Table = rows, Tokens = state.Identity, X = values.SubView((long)first * weight.Columns, (long)count * weight.Columns), Columns = weight.Columns });
            }
        }
        else
            weight.Kernels.Embed.Launch(loader, Groups(weight.Columns, batch.RowCount),
                new() { Table = ((PackedDeviceWeight)weight).View, Tokens = state.Tokens, X = values, Columns = weight.Columns });
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
        var args = new LinearArgs
        {
            Quantized = rows,
            X = x,
            Bias = bias is DeviceVector b ? b.Values : y.Values,
            Y = y.Values,
            Tokens = tokens,
            Stride = weight.Rows,
            HasBias = bias is null ? 0 : 1,
            Accumulate = accumulate ? 1 : 0,
        };
        DeviceKernel<LinearArgs> kernel = weight.Kernels.Linear[tile];
        int tokenTiles = (tokens + tileTokens - 1) / tileTokens;
        if (weight is PackedDeviceWeight packed)
        {
            args.Weights = packed.View;
            kernel.Launch(loader, new Index3D((weight.Rows + table.LinearRows - 1) / table.LinearRows, tokenTiles, 1), args);
            return;
        }
        int part = unpacked!.Rows(weight.Columns);
        for (int first = 0; first < weight.Rows; first += part)
        {
            int count = Math.Min(part, weight.Rows - first);
            args.Weights = Decode((StoredDeviceWeight)weight, unpacked.NoMap, mapped: false, first, count);
            args.Y = y.Values.SubView(first);
            if (bias is DeviceVector all) args.Bias = all.Values.SubView(first);
            kernel.Launch(loader, new Index3D((count + table.LinearRows - 1) / table.LinearRows, tokenTiles, 1), args);
        }
    }

    /// <summary>Decodes rows of a weight, or rows of a map, into the scratch memory of unpacked rows.</summary>
    private PackedMatrix Decode(StoredDeviceWeight weight, ArrayView<int> map, bool mapped, int first, int count)
    {
        PackedMatrix rows = unpacked!.View(count, weight.Columns);
        weight.Decode.Launch(loader, Groups(rows.Chunks, count), new()
        {
            Source = new() { Bytes = weight.Bytes, Codebooks = unpacked.Codebooks },
            Map = map,
            Quants = unpacked.QuantWords,
            Headers = rows.Headers,
            First = first,
            Mapped = mapped ? 1 : 0,
            Chunks = rows.Chunks,
        });
        return rows;
    }

    /// <summary>Views of something, for kernels that will not look: a view of nothing is not a valid argument everywhere.</summary>
    private QuantizedRows NoQuants(int columns) => scratch.Quantized(1, 32) with { Chunks = columns / 32 };
}
