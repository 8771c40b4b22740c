using ILGPU;

namespace Inference.Kernels;

/// <summary>A changed entry of the block tables.</summary>
internal struct TableChange
{
    public int Index, Block;
}

/// <summary>The arguments of <see cref="TableUpdateKernel"/>.</summary>
internal struct TableUpdateArgs
{
    public ArrayView<TableChange> Changes;
    public ArrayView<int> Tables;
    public int Count;
}

/// <summary>tables[index] = block for each change, so that changes travel with the step's one upload. Grid (changes / ElementThreads).</summary>
internal static class TableUpdateKernel
{
    public static void Run<TGroups>(TableUpdateArgs a) where TGroups : struct, IGroups
    {
        int i = Grid.IdxX * TGroups.ElementThreads + Group.IdxX;
        if (i < a.Count)
        {
            TableChange change = a.Changes[i];
            a.Tables[change.Index] = change.Block;
        }
    }
}
