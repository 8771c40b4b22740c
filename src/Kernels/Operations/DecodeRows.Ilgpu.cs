using ILGPU;

namespace Inference.Kernels;

/// <summary>The arguments of <see cref="DecodeRowsKernel"/>.</summary>
internal struct DecodeRowsArgs
{
    /// <summary>The tensor as it stands in the file, and the codebooks.</summary>
    public StoredBlock Source;

    /// <summary>Rows of the tensor to decode, from First; read where Mapped is not 0, else the rows themselves count from First.</summary>
    public ArrayView<int> Map;

    /// <summary>[row][2 planes][chunk][4]: quants of <see cref="DeviceUnpacked{THasMin}"/>, by words.</summary>
    public ArrayView<uint> Quants;

    /// <summary>[row][chunk]</summary>
    public ArrayView<UInt4> Headers;

    public int First, Mapped, Chunks;
}

/// <summary>Decodes rows of a stored format into scratch memory. Grid (chunks / ElementThreads, rows), a thread to a chunk of 32 weights.</summary>
internal static class DecodeRowsKernel
{
    public static void Run<TFormat, TIsa, TGroups>(DecodeRowsArgs a) where TFormat : struct, IStoredFormat where TIsa : struct, IIsa where TGroups : struct, IGroups
    {
        int chunk = Grid.IdxX * TGroups.ElementThreads + Group.IdxX, row = Grid.IdxY;
        if (chunk < a.Chunks)
        {
            int from = a.Mapped != 0 ? a.Map[a.First + row] : a.First + row, chunksOfBlock = TFormat.BlockElements / 32;
            long block = ((long)from * a.Chunks + chunk) / chunksOfBlock; // of the tensor: a row has whole blocks
            int inBlock = (int)((uint)chunk % (uint)chunksOfBlock);
            StoredBlock source = a.Source;
            source.Start = block * TFormat.BlockBytes;

            long first = ((long)row * 2 * a.Chunks + chunk) * 4, second = first + (long)a.Chunks * 4;
            for (int i = 0; i < 4; i++)
            {
                a.Quants[first + i] = TFormat.Quants<TIsa>(source, inBlock * 8 + i);
                a.Quants[second + i] = TFormat.Quants<TIsa>(source, inBlock * 8 + 4 + i);
            }
            ScaleMin low = TFormat.Scale<TIsa>(source, inBlock * 2), high = TFormat.Scale<TIsa>(source, inBlock * 2 + 1);
            a.Headers[(long)row * a.Chunks + chunk] = new()
            {
                X = Interop.FloatAsInt(low.Scale),
                Y = Interop.FloatAsInt(low.Min),
                Z = Interop.FloatAsInt(high.Scale),
                W = Interop.FloatAsInt(high.Min),
            };
        }
    }
}
