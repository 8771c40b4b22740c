using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>IEEE float32, little endian.</summary>
internal sealed class F32Format : TensorFormat
{
    public override TensorType Type => TensorType.F32;
    public override int BlockElements => 1;
    public override int BlockBytes => 4;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values) => MemoryMarshal.Cast<byte, float>(blocks)[..values.Length].CopyTo(values);
}
