using System.Buffers.Binary;

namespace Inference.Models;

/// <summary>How blocks of 32 codes of 4 or 5 bits lie in bytes.</summary>
internal static class Nibbles
{
    /// <summary>The low 4 bits of codes 0-15 in the low nibbles of 16 bytes, of codes 16-31 in the high ones.</summary>
    public static void PackHalves(ReadOnlySpan<byte> codes, Span<byte> bytes)
    {
        for (int i = 0; i < 16; i++) bytes[i] = (byte)(codes[i] & 15 | codes[i + 16] << 4);
    }

    /// <summary>The fifth bits: bit i of 32 is that of code i.</summary>
    public static void PackFifthBits(ReadOnlySpan<byte> codes, Span<byte> bytes)
    {
        uint bits = 0;
        for (int i = 0; i < 32; i++) bits |= (uint)(codes[i] >> 4) << i;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, bits);
    }
}
