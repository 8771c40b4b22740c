using Inference.Kernels;

namespace Inference.Models.Tests;

/// <summary>How far the weights of one file are from those of another.</summary>
internal static class TensorError
{
    /// <summary>Root of the mean squared difference over all tensors of each quantised type, by type name.</summary>
    public static Dictionary<string, double> ByType(GgufFile quantized, GgufFile source) =>
        Squares(quantized, source).ToDictionary(entry => entry.Key, entry => Math.Sqrt(entry.Value.Squares / entry.Value.Count));

    /// <summary>The same over all tensors that are not F32.</summary>
    public static double OfAll(GgufFile quantized, GgufFile source)
    {
        Dictionary<string, (double Squares, long Count)> sums = Squares(quantized, source);
        return Math.Sqrt(sums.Values.Sum(sum => sum.Squares) / sums.Values.Sum(sum => sum.Count));
    }

    private static Dictionary<string, (double Squares, long Count)> Squares(GgufFile quantized, GgufFile source)
    {
        var sums = new Dictionary<string, (double Squares, long Count)>();
        foreach (StoredTensor tensor in quantized.Tensors)
        {
            if (tensor.Type is TensorType.F32) continue;
            TensorSource found = quantized.Source(tensor), exact = source.Source(source.FindTensor(tensor.Name)!);
            float[] a = new float[found.Columns], b = new float[found.Columns];
            double squares = 0;
            for (int row = 0; row < found.Rows; row++)
            {
                found.DecodeRow(row, a);
                exact.DecodeRow(row, b);
                for (int i = 0; i < a.Length; i++) squares += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
            }
            (double before, long count) = sums.GetValueOrDefault(tensor.TypeName);
            sums[tensor.TypeName] = (before + squares, count + tensor.Elements);
        }
        return sums;
    }
}
