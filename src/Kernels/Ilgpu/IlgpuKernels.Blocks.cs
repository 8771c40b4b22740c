using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace Inference.Kernels;

/// <summary>Blocks as bytes: of every layer K, then V.</summary>
internal sealed partial class IlgpuKernels
{
    public override void CopyBlock(KvPages pages, int from, int to)
    {
        var device = (DevicePages)pages;
        for (int layer = 0; layer < device.Layout.Layers; layer++)
        {
            device.KeyBlock(layer, from).CopyTo(loader.Stream, device.KeyBlock(layer, to));
            device.ValueBlock(layer, from).CopyTo(loader.Stream, device.ValueBlock(layer, to));
        }
    }

    public override void ReadBlock(KvPages pages, int block, Span<byte> bytes)
    {
        var device = (DevicePages)pages;
        Span<UInt4> vectors = MemoryMarshal.Cast<byte, UInt4>(bytes);
        for (int layer = 0; layer < device.Layout.Layers; layer++)
        {
            vectors = Read(device.KeyBlock(layer, block), vectors);
            vectors = Read(device.ValueBlock(layer, block), vectors);
        }

        Span<UInt4> Read(ArrayView<UInt4> part, Span<UInt4> to)
        {
            part.CopyToCPU(loader.Stream, to[..part.IntLength]);
            return to[part.IntLength..];
        }
    }

    public override void WriteBlock(KvPages pages, int block, ReadOnlySpan<byte> bytes)
    {
        var device = (DevicePages)pages;
        ReadOnlySpan<UInt4> vectors = MemoryMarshal.Cast<byte, UInt4>(bytes);
        for (int layer = 0; layer < device.Layout.Layers; layer++)
        {
            vectors = Write(device.KeyBlock(layer, block), vectors);
            vectors = Write(device.ValueBlock(layer, block), vectors);
        }

        ReadOnlySpan<UInt4> Write(ArrayView<UInt4> part, ReadOnlySpan<UInt4> from)
        {
            part.CopyFromCPU(loader.Stream, from[..part.IntLength]);
            return from[part.IntLength..];
        }
    }
}
