using System.Globalization;

namespace Inference.Models.Templates;

/// <summary>The filter <c>tojson</c> as Hugging Face defines it: Python's <c>json.dumps</c> without escapes for HTML and in the order of the keys.</summary>
internal sealed class JsonPrinter(TextBuilder to, Value indent, Value itemSeparator, Value keySeparator, bool asciiOnly, bool sortKeys)
{
    /// <param name="state">The render.</param>
    /// <param name="value">Data; functions, ranges and lazy sequences have no JSON.</param>
    /// <param name="options"><c>ensure_ascii, indent, separators, sort_keys</c>.</param>
    public static Value Print(RenderState state, Value value, Value[] options)
    {
        Value indent = options[1];
        if (indent.IsIntegral) indent = Value.Of(new string(' ', Math.Clamp(Sequences.Index(indent, "indent"), 0, Budget.MaxRange)));
        else if (!indent.IsNone && !indent.IsText) throw new TemplateException($"indent must be an integer or a string, not a {indent.TypeName}");
        (Value item, Value key) = (Value.Of(indent.IsNone ? ", " : ","), Value.Of(": "));
        if (!options[2].IsNone)
        {
            Value[] given = Sequences.ToArray(state, options[2]);
            if (given.Length != 2 || !given[0].IsText || !given[1].IsText) throw new TemplateException("separators must be two strings");
            (item, key) = (given[0], given[1]);
        }
        TextBuilder builder = state.RentBuilder();
        new JsonPrinter(builder, indent, item, key, options[0].IsTrue, options[3].IsTrue).Write(value, 0);
        return state.Finish(builder);
    }

    private void Write(Value value, int depth)
    {
        switch (value.Kind)
        {
            case ValueKind.None: to.Append("null"); break;
            case ValueKind.Boolean: to.Append(value.AsBoolean ? "true" : "false"); break;
            case ValueKind.Integer: to.Append(NumberText.Repr(value)); break;
            case ValueKind.Float: to.Append(FloatText(value.AsDouble)); break;
            case ValueKind.Text: WriteText(value); break;
            case ValueKind.List or ValueKind.Tuple: WriteArray(value.AsArray, depth + 1); break;
            case ValueKind.Dict: WriteObject(value.AsDict, depth + 1); break;
            default: throw new TemplateException(value.IsUndefined ? value.UndefinedError().Reason : $"a {value.TypeName} has no JSON");
        }
    }

    private void WriteArray(Value[] items, int depth)
    {
        Budget.Descend();
        to.Append('[');
        for (int i = 0; i < items.Length; i++)
        {
            Separate(i, depth);
            Write(items[i], depth);
        }
        Close(']', items.Length, depth);
    }

    private void WriteObject(DictValue dict, int depth)
    {
        Budget.Descend();
        int[] order = [.. Enumerable.Range(0, dict.Count)];
        if (sortKeys) StableSort.Sort(order.AsSpan(), (a, b) => ValueComparison.Compare(dict.Key(a), dict.Key(b), "<") ?? 0);
        to.Append('{');
        for (int i = 0; i < order.Length; i++)
        {
            Separate(i, depth);
            WriteKey(dict.Key(order[i]));
            to.Append(keySeparator);
            Write(dict.ValueAt(order[i]), depth);
        }
        Close('}', dict.Count, depth);
    }

    private void WriteKey(Value key)
    {
        if (key.IsText)
        {
            WriteText(key);
            return;
        }
        if (key.Kind is ValueKind.Tuple or ValueKind.Object or ValueKind.Undefined) throw new TemplateException($"JSON has no keys that are a {key.TypeName}");
        to.Append('"');
        Write(key, 0);
        to.Append('"');
    }

    private void Separate(int position, int depth)
    {
        if (position > 0) to.Append(itemSeparator);
        if (!indent.IsNone) BreakLine(depth);
    }

    private void Close(char bracket, int count, int depth)
    {
        if (count > 0 && !indent.IsNone) BreakLine(depth - 1);
        to.Append(bracket);
    }

    private void BreakLine(int depth)
    {
        to.Append('\n');
        for (int i = 0; i < depth; i++) to.Append(indent);
    }

    private void WriteText(Value value)
    {
        string text = value.Text;
        to.Append('"');
        int done = 0;
        for (int i = 0; i < text.Length; i++)
        {
            char character = text[i];
            if (character is >= ' ' and not '"' and not '\\' && (character < 0x7F || !asciiOnly)) continue;
            if (character == '\x7F') continue;
            to.Append(value, done, i - done);
            to.AppendLike(value, character switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\f' => "\\f",
                '\b' => "\\b",
                _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
            });
            done = i + 1;
        }
        to.Append(value, done, text.Length - done);
        to.Append('"');
    }

    private static string FloatText(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsInfinity(value) ? (value > 0 ? "Infinity" : "-Infinity") : NumberText.Repr(value);
}
