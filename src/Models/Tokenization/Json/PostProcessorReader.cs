namespace Inference.Models;

/// <summary>Reads the <c>post_processor</c> of a tokenizer.json: the tokens before and after a prompt.</summary>
internal sealed class PostProcessorReader
{
    private const string Supported = "Sequence, ByteLevel, TemplateProcessing, BertProcessing or RobertaProcessing";
    private readonly List<int> prefix = [];
    private readonly List<int> suffix = [];

    public int[] Prefix => [.. prefix];

    public int[] Suffix => [.. suffix];

    public void Read(JsonPart part)
    {
        if (!part.Exists) return;
        switch (part["type"].Text())
        {
            case "Sequence":
                foreach (JsonPart processor in part["processors"].Elements()) Read(processor);
                break;
            case "ByteLevel":
                // Concerns offsets only.
                break;
            case "TemplateProcessing":
                ReadTemplate(part);
                break;
            case "BertProcessing" or "RobertaProcessing":
                prefix.Insert(0, ReadPair(part["cls"]));
                suffix.Add(ReadPair(part["sep"]));
                break;
            default:
                throw part["type"].Error(Supported);
        }
    }

    private void ReadTemplate(JsonPart part)
    {
        var before = new List<int>();
        bool after = false;
        foreach (JsonPart piece in part["single"].Elements())
        {
            JsonPart special = piece["SpecialToken"];
            if (special.Exists)
            {
                string name = special["id"].Text();
                IEnumerable<int> ids = part["special_tokens"][name]["ids"].Elements().Select(id => id.Integer());
                (after ? suffix : before).AddRange(ids);
            }
            else if (after) throw piece.Error("one sequence");
            else after = piece["Sequence"].Exists ? true : throw piece.Error("SpecialToken or Sequence");
        }
        if (!after) throw part["single"].Error("a sequence");
        prefix.InsertRange(0, before);
    }

    private static int ReadPair(JsonPart part) => part.Elements().ToArray() is [_, var id] ? id.Integer() : throw part.Error("a token and its id");
}
