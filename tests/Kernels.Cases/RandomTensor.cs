using System.Runtime.InteropServices;

namespace Inference.Kernels.Cases;

/// <summary>Random matrices in every format, straight as blocks: values of a plausible size, the same for the same seed.</summary>
internal sealed unsafe class RandomTensor : IDisposable
{
    private readonly NativeBuffer buffer;

    public RandomTensor(TensorFormat format, int rows, int columns, int seed)
    {
        buffer = new NativeBuffer(format.RowBytes(columns) * rows);
        Source = new TensorSource($"{format.Name} {rows}x{columns}", format, rows, columns, (nint)buffer.Pointer);
        var random = new Random(seed);
        var bytes = new Span<byte>(buffer.Pointer, checked((int)buffer.Bytes));
        random.NextBytes(bytes);
        for (int at = 0; at < bytes.Length; at += format.BlockBytes) Mend(format.Type, bytes.Slice(at, format.BlockBytes), random);
    }

    public TensorSource Source { get; }

    public void Dispose() => buffer.Dispose();

    /// <summary>Puts finite numbers where a block has floats; quants stay random bytes.</summary>
    private static void Mend(TensorType type, Span<byte> block, Random random)
    {
        float value = (float)(random.NextDouble() - 0.5) * 0.1f;
        switch (type)
        {
            case TensorType.F32: MemoryMarshal.Write(block, value); break;
            case TensorType.BF16: MemoryMarshal.Write(block, (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)); break;
            case TensorType.MXFP4: block[0] = (byte)(120 + random.Next(4)); break; // 2^-7 to 2^-4
            case TensorType.IQ4_NL: WriteHalf(block, value * 0.1f); break;
            case TensorType.Q4_1 or TensorType.Q5_1:
                WriteHalf(block, value);
                WriteHalf(block[2..], value * -7);
                break;
            case TensorType.Q6_K: WriteHalf(block[208..], value * 0.05f); break;
            case TensorType.Q3_K: WriteHalf(block[108..], value * 0.05f); break;
            case TensorType.Q2_K:
                WriteHalf(block[80..], value * 0.2f);
                WriteHalf(block[82..], value * 0.15f);
                break;
            case TensorType.Q4_K or TensorType.Q5_K:
                WriteHalf(block, value * 0.1f);
                WriteHalf(block[2..], value * 0.07f);
                break;
            case TensorType.IQ4_XS: WriteHalf(block, value * 0.005f); break;
            case TensorType.IQ2_XXS or TensorType.IQ2_XS or TensorType.IQ2_S or TensorType.IQ3_XXS or TensorType.IQ3_S: WriteHalf(block, value * 0.03f); break;
            case TensorType.IQ1_M:
                int bits = Half16.FromSingle(value * 0.1f);
                for (int i = 0; i < 4; i++) block[49 + i * 2] = (byte)(block[49 + i * 2] & 15 | (bits >> (i * 4) & 15) << 4);
                break;
            case TensorType.TQ1_0: WriteHalf(block[52..], value); break;
            case TensorType.TQ2_0: WriteHalf(block[64..], value); break;
            case TensorType.NVFP4:
                for (int i = 0; i < 4; i++) block[i] = (byte)random.Next(40); // up to 1/8
                break;
            default: WriteHalf(block, value); break;
        }
    }

    private static void WriteHalf(Span<byte> at, float value) => MemoryMarshal.Write(at, Half16.FromSingle(value));

    /// <summary>Activations: uniform in [-1, 1), with a few outliers as real models have them.</summary>
    public static float[] Activations(int count, int seed)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (int i = 0; i < count; i++) values[i] = (float)(random.NextDouble() * 2 - 1) * (random.Next(200) == 0 ? 8 : 1);
        return values;
    }
}
