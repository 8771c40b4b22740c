using System.Buffers.Binary;

namespace Inference.Kernels;

/// <summary>A general register, by its number in the encoding.</summary>
internal enum Gpr
{
    Rax = 0,
    Rcx = 1,
    Rdx = 2,
    Rbx = 3,
    Rsi = 6,
    Rdi = 7,
    R8 = 8,
    R9 = 9,
    R10 = 10,
    R11 = 11,
}

/// <summary>Memory at a register plus a constant.</summary>
internal readonly record struct Address(Gpr Base, int Offset)
{
    public static Address operator +(Address address, int bytes) => address with { Offset = address.Offset + bytes };
}

/// <summary>
/// Writes x86-64 machine code: the few instructions that the tiles of <see cref="VnniTileWriter"/> need, 512-bit ones in the EVEX encoding (Intel SDM volume 2, sections 2.7 and 4).
/// Vector registers are zmm numbers 0 to 31.
/// </summary>
internal sealed class VectorAssembler
{
    private enum Map { Escape = 1, Escape38 = 2 }

    private enum Prefix { None = 0, Operand = 1 }

    private readonly List<byte> code = [];

    /// <summary>Bytes so far.</summary>
    public int Length => code.Count;

    public byte[] ToArray() => [.. code];

    /// <summary>Starts a function on a line of the instruction cache.</summary>
    public void Align()
    {
        while (code.Count % 64 != 0) code.Add(0xcc);
    }

    public void Load(int to, Address from) => Evex(Map.Escape, Prefix.None, 0x10, to, 0, from, 64);
    public void Store(Address to, int from) => Evex(Map.Escape, Prefix.None, 0x11, from, 0, to, 64);
    public void Broadcast(int to, Address from) => Evex(Map.Escape38, Prefix.Operand, 0x58, to, 0, from, 4);
    public void Broadcast(int to, Gpr from) => Evex(Map.Escape38, Prefix.Operand, 0x7c, to, 0, (int)from);

    /// <summary>16 float16 numbers to float32.</summary>
    public void HalvesToSingle(int to, Address from) => Evex(Map.Escape38, Prefix.Operand, 0x13, to, 0, from, 32);

    /// <summary>16 bytes to int32, without sign.</summary>
    public void WidenBytes(int to, Address from) => Evex(Map.Escape38, Prefix.Operand, 0x31, to, 0, from, 16);

    /// <summary>16 bytes to int32, with sign.</summary>
    public void WidenSignedBytes(int to, Address from) => Evex(Map.Escape38, Prefix.Operand, 0x21, to, 0, from, 16);

    public void ToSingle(int to, int from) => Evex(Map.Escape, Prefix.None, 0x5b, to, 0, from);

    /// <summary>sum += unsigned bytes . signed bytes, four to a lane; the signed ones are one dword for all lanes (vpdpbusd).</summary>
    public void Dot(int sum, int unsigned, Address signed) => Evex(Map.Escape38, Prefix.Operand, 0x50, sum, unsigned, signed, 4, broadcast: true);

    public void And(int to, int a, int b) => Evex(Map.Escape, Prefix.Operand, 0xdb, to, a, b);
    public void Or(int to, int a, int b) => Evex(Map.Escape, Prefix.Operand, 0xeb, to, a, b);
    public void Zero(int to) => Evex(Map.Escape, Prefix.Operand, 0xef, to, to, to);
    public void Add(int to, int a, int b) => Evex(Map.Escape, Prefix.Operand, 0xfe, to, a, b);
    public void Multiply(int to, int a, int b) => Evex(Map.Escape38, Prefix.Operand, 0x40, to, a, b);
    public void MultiplySingle(int to, int a, int b) => Evex(Map.Escape, Prefix.None, 0x59, to, a, b);

    /// <summary>a times one float for all lanes.</summary>
    public void MultiplySingle(int to, int a, Address b) => Evex(Map.Escape, Prefix.None, 0x59, to, a, b, 4, broadcast: true);

    /// <summary>to += a * b, rounded once.</summary>
    public void MultiplyAdd(int to, int a, int b) => Evex(Map.Escape38, Prefix.Operand, 0xb8, to, a, b);

    /// <summary>to += a * one float for all lanes, rounded once.</summary>
    public void MultiplyAdd(int to, int a, Address b) => Evex(Map.Escape38, Prefix.Operand, 0xb8, to, a, b, 4, broadcast: true);

    /// <summary>Shifts int32 lanes left.</summary>
    public void ShiftLeft(int to, int from, int bits)
    {
        Evex(Map.Escape, Prefix.Operand, 0x72, 6, to, from);
        code.Add((byte)bits);
    }

    /// <summary>Shifts int16 lanes left, or right where <paramref name="left"/> is negative.</summary>
    public void ShiftShorts(int to, int from, int left)
    {
        Evex(Map.Escape, Prefix.Operand, 0x71, left > 0 ? 6 : 2, to, from);
        code.Add((byte)Math.Abs(left));
    }

    public void Prefetch(Address at)
    {
        if (at.Base >= Gpr.R8) code.Add(0x41);
        code.AddRange([0x0f, 0x18, (byte)(0x88 | (int)at.Base & 7)]);
        Immediate(at.Offset);
    }

    public void Move(Gpr to, Gpr from) => code.AddRange([Rex(from, to, wide: true), 0x89, (byte)(0xc0 | ((int)from & 7) << 3 | (int)to & 7)]);

    public void Move(Gpr to, Address from)
    {
        code.AddRange([Rex(to, from.Base, wide: true), 0x8b, (byte)(0x80 | ((int)to & 7) << 3 | (int)from.Base & 7)]);
        Immediate(from.Offset);
    }

    /// <summary>Sets the low 32 bits, and the high ones to zero.</summary>
    public void Move(Gpr to, int value)
    {
        code.AddRange([Rex(default, to, wide: false), (byte)(0xb8 | (int)to & 7)]);
        Immediate(value);
    }

    public void Add(Gpr to, int value)
    {
        code.AddRange([Rex(default, to, wide: true), 0x81, (byte)(0xc0 | (int)to & 7)]);
        Immediate(value);
    }

    /// <summary>Shifts the low 32 bits right.</summary>
    public void ShiftRight(Gpr to, int bits) => code.AddRange([Rex(default, to, wide: false), 0xc1, (byte)(0xe8 | (int)to & 7), (byte)bits]);

    /// <summary>Takes one off the low 32 bits and jumps back to <paramref name="target"/> unless nothing is left.</summary>
    public void DecrementAndLoop(Gpr counter, int target)
    {
        code.AddRange([Rex(default, counter, wide: false), 0xff, (byte)(0xc8 | (int)counter & 7), 0x0f, 0x85]);
        Immediate(target - (code.Count + 4));
    }

    public void Push(Gpr register) => code.Add((byte)(0x50 | (int)register));
    public void Pop(Gpr register) => code.Add((byte)(0x58 | (int)register));

    /// <summary>Returns to code that may use narrower vectors (vzeroupper).</summary>
    public void Return() => code.AddRange([0xc5, 0xf8, 0x77, 0xc3]);

    private static byte Rex(Gpr register, Gpr operand, bool wide) => (byte)(0x40 | (wide ? 8 : 0) | (register >= Gpr.R8 ? 4 : 0) | (operand >= Gpr.R8 ? 1 : 0));

    private void Immediate(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        code.AddRange(bytes);
    }

    /// <summary>The instruction on registers.</summary>
    private void Evex(Map map, Prefix prefix, byte opcode, int register, int second, int operand)
    {
        Head(map, prefix, opcode, register, second, extension: (operand & 16) == 0, high: (operand & 8) == 0, broadcast: false);
        code.Add((byte)(0xc0 | (register & 7) << 3 | operand & 7));
    }

    /// <summary>The instruction with an operand in memory of <paramref name="unit"/> bytes: offsets that are multiples of it take one byte where they fit.</summary>
    private void Evex(Map map, Prefix prefix, byte opcode, int register, int second, Address operand, int unit, bool broadcast = false)
    {
        Head(map, prefix, opcode, register, second, extension: true, high: operand.Base < Gpr.R8, broadcast);
        bool small = operand.Offset % unit == 0 && operand.Offset / unit is >= -128 and <= 127;
        code.Add((byte)((small ? 0x40 : 0x80) | (register & 7) << 3 | (int)operand.Base & 7));
        if (small) code.Add((byte)(operand.Offset / unit));
        else Immediate(operand.Offset);
    }

    private void Head(Map map, Prefix prefix, byte opcode, int register, int second, bool extension, bool high, bool broadcast)
    {
        code.Add(0x62);
        code.Add((byte)(((register & 8) == 0 ? 0x80 : 0) | (extension ? 0x40 : 0) | (high ? 0x20 : 0) | ((register & 16) == 0 ? 0x10 : 0) | (int)map));
        code.Add((byte)((~second & 15) << 3 | 4 | (int)prefix));
        code.Add((byte)(0x40 | (broadcast ? 0x10 : 0) | ((second & 16) == 0 ? 8 : 0)));
        code.Add(opcode);
    }
}
