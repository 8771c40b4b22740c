using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Inference.Models;

namespace Inference.Evaluation;

/// <summary>
/// Head of a file of saved logits, little-endian: magic, version, vocabulary, context, rows, fingerprints of tokenizer and windows, the model's
/// name (length and UTF-8), XXH3-64 of all that. One <see cref="SavedRow"/> per predicted token follows, in the order of the text.
/// </summary>
/// <param name="Model">Name of the model that the logits are of, for reports.</param>
/// <param name="Vocabulary">Logits of a row.</param>
/// <param name="Context">Tokens of a window.</param>
/// <param name="Rows">Predicted tokens.</param>
/// <param name="TokenizerFingerprint">Over the bytes of all tokens.</param>
/// <param name="TextFingerprint">Over the windows' tokens.</param>
internal sealed record SavedLogits(string Model, int Vocabulary, int Context, int Rows, UInt128 TokenizerFingerprint, UInt128 TextFingerprint)
{
    private const int Version = 1, Fixed = 60, Check = 8, MaxName = 1024;

    private static ReadOnlySpan<byte> Magic => "inflogit"u8;

    /// <summary>The head of a run's own file.</summary>
    public static SavedLogits Of(string model, int vocabulary, Tokenizer tokenizer, TextWindows windows)
    {
        var hash = new XxHash128();
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id);
            hash.Append(BitConverter.GetBytes(bytes.Length));
            hash.Append(bytes);
        }
        return new(model, vocabulary, windows.Context, windows.Predictions, hash.GetCurrentHashAsUInt128(), windows.Fingerprint());
    }

    public byte[] ToBytes()
    {
        byte[] name = Encoding.UTF8.GetBytes(Model.Length > MaxName / 4 ? Model[..(MaxName / 4)] : Model);
        var bytes = new byte[Fixed + name.Length + Check];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), Vocabulary);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), Context);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(20), Rows);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(24), TokenizerFingerprint);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(40), TextFingerprint);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(56), name.Length);
        name.CopyTo(bytes, Fixed);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(Fixed + name.Length), XxHash3.HashToUInt64(bytes.AsSpan(0, Fixed + name.Length)));
        return bytes;
    }

    /// <summary>Reads the head and leaves the stream at the first row. Everything is checked, the file's length too.</summary>
    /// <exception cref="InvalidDataException">No such file, another version, or damaged.</exception>
    public static SavedLogits Read(Stream stream, string path)
    {
        var head = new byte[Fixed];
        if (stream.ReadAtLeast(head, Fixed, throwOnEndOfStream: false) < Fixed || !head.AsSpan(0, 8).SequenceEqual(Magic))
            throw new InvalidDataException($"{path}: not a file of saved logits (perplexity --save-logits makes one)");
        int version = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(8));
        if (version != Version) throw new InvalidDataException($"{path}: saved logits of version {version}; this build reads version {Version}");
        int nameLength = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(56));
        if (nameLength is < 0 or > MaxName) throw Damaged(path, "head");
        var rest = new byte[nameLength + Check];
        var hash = new XxHash3();
        hash.Append(head);
        if (stream.ReadAtLeast(rest, rest.Length, throwOnEndOfStream: false) < rest.Length) throw Damaged(path, "head");
        hash.Append(rest.AsSpan(0, nameLength));
        if (hash.GetCurrentHashAsUInt64() != BinaryPrimitives.ReadUInt64LittleEndian(rest.AsSpan(nameLength))) throw Damaged(path, "head");
        var saved = new SavedLogits(Encoding.UTF8.GetString(rest, 0, nameLength), BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(12)),
            BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(16)), BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(20)),
            BinaryPrimitives.ReadUInt128LittleEndian(head.AsSpan(24)), BinaryPrimitives.ReadUInt128LittleEndian(head.AsSpan(40)));
        if (saved.Vocabulary is < 1 or > 1 << 24 || saved.Rows < 1) throw Damaged(path, "head");
        long expected = stream.Position + (long)saved.Rows * SavedRow.Bytes(saved.Vocabulary);
        return stream.Length == expected ? saved : throw new InvalidDataException($"{path}: damaged: {stream.Length} bytes instead of {expected}");
    }

    /// <summary>Whether a run can be compared with these logits, row by row.</summary>
    /// <exception cref="InvalidDataException">Another tokenizer, other windows or another text; the message says which.</exception>
    public void Require(SavedLogits run, string path)
    {
        if (Vocabulary != run.Vocabulary || TokenizerFingerprint != run.TokenizerFingerprint)
            throw new InvalidDataException($"{path}: logits of {Model} ({Vocabulary} tokens), whose tokenizer is not that of {run.Model} ({run.Vocabulary} tokens)");
        if (Context != run.Context) throw new InvalidDataException($"{path}: saved with --context {Context}, and this run has {run.Context}");
        if (Rows != run.Rows || TextFingerprint != run.TextFingerprint) throw new InvalidDataException($"{path}: saved for another text ({Rows} predicted tokens, this one has {run.Rows})");
    }

    public static InvalidDataException Damaged(string path, string where) => new($"{path}: damaged: the checksum of its {where} does not fit");
}
