using ILGPU;

namespace Inference.Kernels;

/// <summary>The arguments of <see cref="EmbedKernel"/>.</summary>
internal struct EmbedArgs
{
    public PackedMatrix Table;

    /// <summary>[row] token id.</summary>
    public ArrayView<int> Tokens;

    /// <summary>[rows][columns]</summary>
    public ArrayView<float> X;

    public int Columns;
}

/// <summary>x[row] = table[token of row], decoded from the packed form. Grid (columns / ElementThreads, rows), a thread to an element.</summary>
internal static class EmbedKernel
{
    public static void Run<TFormat, TIsa, TGroups>(EmbedArgs a) where TFormat : struct, IDeviceFormat where TIsa : struct, IIsa where TGroups : struct, IGroups
    {
        int column = Grid.IdxX * TGroups.ElementThreads + Group.IdxX, row = Grid.IdxY;
        if (column < a.Columns) a.X[(long)row * a.Columns + column] = TFormat.Element<TIsa>(a.Table, a.Tokens[row], column);
    }
}
