using System.Text;

namespace Inference.Models;

/// <summary>
/// SentencePiece's <c>tokenizer.model</c>: a protobuf message of pieces with score and type, how they were trained and how text is normalised. Read into the form
/// that GGUF files have, so that a folder and the GGUF file made of it tokenize alike.
/// </summary>
internal static class SentencePieceModel
{
    public const string FileName = "tokenizer.model";

    // Field numbers of sentencepiece_model.proto.
    private const int Pieces = 1, Trainer = 2, NormalizerPart = 3;
    private const int PieceText = 1, PieceScore = 2, PieceType = 3;
    private const int TrainerKind = 3, TrainerUnknown = 40, TrainerBos = 41, TrainerEos = 42, TrainerPadding = 43;
    private const int NormalizerMap = 2, NormalizerPrefix = 3, NormalizerSpaces = 4;
    private const int UnigramKind = 1, BytePairKind = 2;

    /// <summary>Each has 5 bytes at least; 64 MiB of them are beyond any vocabulary.</summary>
    private const int MaxBytes = 64 << 20;

    /// <exception cref="ModelFormatException">The file is damaged, or of a kind that is not supported.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static VocabularyData Read(string path)
    {
        long length = new FileInfo(path).Length;
        if (length > MaxBytes) throw new ModelFormatException(path, "file", $"at most {MaxBytes} bytes", $"{length}");
        try
        {
            return Read(path, File.ReadAllBytes(path));
        }
        catch (FormatException error)
        {
            throw new ModelFormatException(path, "file", "a SentencePiece model", error.Message);
        }
    }

    private static VocabularyData Read(string path, byte[] bytes)
    {
        List<string> tokens = [];
        List<float> scores = [];
        List<TokenType> types = [];
        // What the trainer writes where a file leaves it out.
        long kind = UnigramKind, unknown = 0, bos = 1, eos = 2, padding = -1;
        bool prefix = true, collapse = true;
        byte[] map = [];
        var model = new ProtobufReader(bytes);
        while (model.Next())
        {
            if (model.Kind != WireType.Bytes) continue;
            var part = new ProtobufReader(model.Bytes);
            switch (model.Field)
            {
                case Pieces:
                    ReadPiece(part);
                    break;
                case Trainer:
                    while (part.Next())
                    {
                        if (part.Kind != WireType.Varint) continue;
                        long number = unchecked((long)part.Number);
                        if (part.Field == TrainerKind) kind = number;
                        else if (part.Field == TrainerUnknown) unknown = number;
                        else if (part.Field == TrainerBos) bos = number;
                        else if (part.Field == TrainerEos) eos = number;
                        else if (part.Field == TrainerPadding) padding = number;
                    }
                    break;
                case NormalizerPart:
                    while (part.Next())
                    {
                        if (part.Field == NormalizerMap && part.Kind == WireType.Bytes) map = part.Bytes.ToArray();
                        else if (part.Field == NormalizerPrefix && part.Kind == WireType.Varint) prefix = part.Number != 0;
                        else if (part.Field == NormalizerSpaces && part.Kind == WireType.Varint) collapse = part.Number != 0;
                    }
                    break;
            }
        }
        if (tokens.Count == 0) throw new ModelFormatException(path, "pieces", "at least one", "none");
        string family = kind switch
        {
            BytePairKind => GgufTokenizer.SentencePiece,
            UnigramKind => GgufTokenizer.Unigram,
            _ => throw new ModelFormatException(path, "trainer_spec.model_type", $"{UnigramKind} (unigram) or {BytePairKind} (byte pairs)", $"{kind}"),
        };
        // Nothing tells how a byte-pair model would normalise in the GGUF form; those that exist do not.
        if (map.Length > 0 && kind == BytePairKind) throw new ModelFormatException(path, "normalizer_spec.precompiled_charsmap", "none in a byte-pair model", $"{map.Length} bytes");
        return new VocabularyData
        {
            Source = path,
            Model = family,
            Tokens = [.. tokens],
            Types = [.. types],
            Scores = [.. scores],
            CharacterMap = map.Length > 0 ? map : null,
            RemoveExtraSpaces = collapse,
            AddSpacePrefix = prefix,
            UnknownId = Id("unk_id", unknown),
            BosId = Id("bos_id", bos),
            EosId = Id("eos_id", eos),
            PaddingId = Id("pad_id", padding),
        };

        void ReadPiece(ProtobufReader piece)
        {
            string text = "";
            float score = 0;
            ulong type = (ulong)TokenType.Normal;
            while (piece.Next())
            {
                if (piece.Field == PieceText && piece.Kind == WireType.Bytes) text = Encoding.UTF8.GetString(piece.Bytes);
                else if (piece.Field == PieceScore) score = piece.Single;
                else if (piece.Field == PieceType && piece.Kind == WireType.Varint) type = piece.Number;
            }
            if (type is < (ulong)TokenType.Normal or > (ulong)TokenType.Byte) throw new ModelFormatException(path, $"pieces[{tokens.Count}].type", "1 to 6", $"{type}");
            if (float.IsNaN(score)) throw new ModelFormatException(path, $"pieces[{tokens.Count}].score", "a number", "NaN");
            tokens.Add(text);
            scores.Add(score);
            types.Add((TokenType)type);
        }

        int? Id(string name, long id)
        {
            if (id == -1) return null;
            return id >= 0 && id < tokens.Count ? (int)id : throw new ModelFormatException(path, $"trainer_spec.{name}", $"-1 or an id below {tokens.Count}", $"{id}");
        }
    }
}
