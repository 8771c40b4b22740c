using System.Buffers.Binary;

namespace Inference.Models;

/// <summary>Kinds of a field in protobuf's wire format.</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// <summary>Walks the fields of one protobuf message; whatever does not fit into its bytes is a <see cref="FormatException"/>.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> message = message;
    private int position;

    /// <summary>Number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>Kind of the current field.</summary>
    public WireType Kind { get; private set; }

    /// <summary>The current field's value: of a varint or fixed number its bits.</summary>
    public ulong Number { get; private set; }

    /// <summary>The current field's bytes: a string or a message inside.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>A 32-bit field as a float; those of another kind are 0.</summary>
    public readonly float Single => Kind == WireType.Fixed32 ? BitConverter.UInt32BitsToSingle((uint)Number) : 0;

    /// <summary>Goes to the next field; false at the end.</summary>
    public bool Next()
    {
        if (position == message.Length) return false;
        ulong key = Varint();
        if (key >> 3 is 0 or > 536_870_911) throw new FormatException($"a field of number {key >> 3} at byte {position}");
        Field = (int)(key >> 3);
        Kind = (WireType)(key & 7);
        Bytes = default;
        switch (Kind)
        {
            case WireType.Varint:
                Number = Varint();
                return true;
            case WireType.Fixed64:
                Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                return true;
            case WireType.Fixed32:
                Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                return true;
            case WireType.Bytes:
                Bytes = Take(Varint());
                return true;
            default: throw new FormatException($"a field of kind {(int)Kind} at byte {position}");
        }
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Take(1)[0];
            value |= (ulong)(next & 127) << shift;
            if (next < 128) return value;
        }
        throw new FormatException($"a number of more than ten bytes at byte {position}");
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)(message.Length - position)) throw new FormatException($"{count} bytes wanted at byte {position} of {message.Length}");
        ReadOnlySpan<byte> bytes = message.Slice(position, (int)count);
        position += (int)count;
        return bytes;
    }
}
