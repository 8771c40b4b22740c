namespace Inference.Models.Templates;

/// <summary>Python's <c>'…{}…'.format(values)</c>. Fields may reach into values as far as templates may.</summary>
internal static class BraceFormat
{
    public static Value Format(RenderState state, Value format, in Arguments arguments)
    {
        TextBuilder builder = state.RentBuilder();
        int next = 0;
        Append(state, builder, format, arguments, ref next, depth: 0);
        return state.Finish(builder);
    }

    private static void Append(RenderState state, TextBuilder to, Value format, in Arguments arguments, ref int next, int depth)
    {
        if (depth > 2) throw new TemplateException("a format has fields inside fields inside fields");
        string text = format.Text;
        for (int at = 0; at < text.Length;)
        {
            int brace = text.AsSpan(at).IndexOfAny('{', '}') is >= 0 and var found ? at + found : text.Length;
            to.Append(format, at, brace - at);
            if (brace == text.Length) return;
            if (brace + 1 < text.Length && text[brace + 1] == text[brace])
            {
                to.Append(format, brace, 1);
                at = brace + 2;
                continue;
            }
            if (text[brace] == '}') throw new TemplateException("a format has a '}' too many");
            int end = Closing(text, brace);
            AppendField(state, to, text[(brace + 1)..end], arguments, ref next, depth);
            at = end + 1;
        }
    }

    private static void AppendField(RenderState state, TextBuilder to, string field, in Arguments arguments, ref int next, int depth)
    {
        int colon = field.IndexOf(':');
        string spec = colon < 0 ? "" : field[(colon + 1)..];
        string name = colon < 0 ? field : field[..colon];
        char conversion = '\0';
        if (name.LastIndexOf('!') is >= 0 and var mark)
        {
            if (name.Length != mark + 2) throw new TemplateException($"'{name[mark..]}' is no conversion");
            conversion = name[mark + 1];
            name = name[..mark];
        }
        Value value = Field(name, arguments, ref next);
        if (conversion != '\0')
        {
            TextBuilder text = state.RentBuilder();
            if (conversion == 's') ValuePrinter.Str(text, value);
            else if (conversion is 'r' or 'a') ValuePrinter.Repr(text, value);
            else throw new TemplateException($"'!{conversion}' is no conversion");
            value = state.Finish(text);
        }
        if (spec.Contains('{'))
        {
            TextBuilder nested = state.RentBuilder();
            Append(state, nested, Value.Of(spec), arguments, ref next, depth + 1);
            spec = state.Finish(nested).Text;
        }
        FormatSpec.Parse(spec).Format(state, to, value);
    }

    /// <summary>The value of <c>name.attribute[key]</c>; without a name the next by position.</summary>
    private static Value Field(string path, in Arguments arguments, ref int next)
    {
        int end = path.AsSpan().IndexOfAny('.', '[') is >= 0 and var found ? found : path.Length;
        string first = path[..end];
        Value value;
        if (first.Length == 0 || int.TryParse(first, out _))
        {
            int position = first.Length == 0 ? next++ : int.Parse(first);
            value = position < arguments.Positional.Length ? arguments.Positional[position] : throw new TemplateException($"the format's field {position} has no value");
        }
        else if (!arguments.TryGetNamed(first, out value))
        {
            throw new TemplateException($"the format's field '{first}' has no value");
        }
        while (end < path.Length)
        {
            int start = end + 1;
            if (path[end] == '.')
            {
                end = path.AsSpan(start).IndexOfAny('.', '[') is >= 0 and var stop ? start + stop : path.Length;
                value = Members.Attribute(value, path[start..end]);
                continue;
            }
            int close = path.IndexOf(']', start);
            if (path[end] != '[' || close < 0) throw new TemplateException($"'{path}' is no field");
            string key = path[start..close];
            value = Members.Item(value, int.TryParse(key, out int index) ? Value.Of((long)index) : Value.Of(key));
            end = close + 1;
        }
        return value;
    }

    private static int Closing(string text, int open)
    {
        int depth = 0;
        for (int i = open; i < text.Length; i++)
        {
            if (text[i] == '{') depth++;
            else if (text[i] == '}' && --depth == 0) return i;
        }
        throw new TemplateException("a format has a '{' too many");
    }
}
