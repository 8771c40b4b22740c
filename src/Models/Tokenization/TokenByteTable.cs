using System.Text;

namespace Inference.Models;

/// <summary>The bytes of every token, end to end in one array: 150,000 small arrays would cost more than the text.</summary>
internal sealed class TokenByteTable(int capacity)
{
    private readonly int[] ends = new int[capacity];
    private byte[] data = new byte[capacity * 8];
    private int count;

    public ReadOnlySpan<byte> this[int id]
    {
        get
        {
            int start = id == 0 ? 0 : ends[id - 1];
            return data.AsSpan(start, ends[id] - start);
        }
    }

    /// <summary>Appends the next token's bytes.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        int start = count == 0 ? 0 : ends[count - 1];
        Reserve(start + bytes.Length);
        bytes.CopyTo(data.AsSpan(start));
        ends[count++] = start + bytes.Length;
    }

    /// <summary>Appends the next token as UTF-8.</summary>
    public void Add(ReadOnlySpan<char> text)
    {
        int start = count == 0 ? 0 : ends[count - 1];
        Reserve(start + Encoding.UTF8.GetMaxByteCount(text.Length));
        ends[count++] = start + Encoding.UTF8.GetBytes(text, data.AsSpan(start));
    }

    /// <summary>A table of <paramref name="wanted"/> tokens: the first <paramref name="have"/> of this one, then such without bytes.</summary>
    public TokenByteTable Extended(int have, int wanted)
    {
        var table = new TokenByteTable(wanted);
        for (int id = 0; id < wanted; id++) table.Add(id < have ? this[id] : []);
        return table;
    }

    private void Reserve(int length)
    {
        if (length > data.Length) Array.Resize(ref data, Math.Max(length, data.Length * 2));
    }
}
