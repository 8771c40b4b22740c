using System.Globalization;
using System.Numerics;

namespace Inference.Models.Templates;

/// <summary>What a <see cref="Value"/> is, in Python's terms.</summary>
internal enum ValueKind : byte
{
    Undefined,
    None,
    Boolean,
    Integer,
    Float,
    Text,
    List,
    Tuple,
    Dict,

    /// <summary>Anything else: a <see cref="TemplateObject"/>.</summary>
    Object,
}

/// <summary>
/// A value of the template language. Immutable (only a namespace behind <see cref="ValueKind.Object"/> can change), so that values are shared freely.
/// Text carries which of its characters a user supplied; see <see cref="TextMark"/>.
/// </summary>
internal readonly partial struct Value
{
    /// <summary>String, <see cref="MarkedText"/>, array, <see cref="DictValue"/>, <see cref="TemplateObject"/>, a big integer, or the name of what is undefined.</summary>
    private readonly object? reference;

    /// <summary>Integer, boolean, the bits of a float, or for an undefined value the <see cref="UndefinedReason"/>.</summary>
    private readonly long bits;

    private readonly TextMark mark;

    private Value(ValueKind kind, object? reference, long bits = 0, TextMark mark = TextMark.None)
    {
        Kind = kind;
        this.reference = reference;
        this.bits = bits;
        this.mark = mark;
    }

    public ValueKind Kind { get; }

    public static Value None { get; } = new(ValueKind.None, null);

    public static Value True { get; } = new(ValueKind.Boolean, null, 1);

    public static Value False { get; } = new(ValueKind.Boolean, null, 0);

    public static Value Empty { get; } = new(ValueKind.Text, "");

    public static Value EmptyList { get; } = new(ValueKind.List, Array.Empty<Value>());

    public static Value Of(bool value) => value ? True : False;

    public static Value Of(long value) => new(ValueKind.Integer, null, value);

    /// <summary>An integer of any size; it becomes a 64-bit one where it fits, so that equal integers look alike.</summary>
    public static Value Of(BigInteger value) => value >= long.MinValue && value <= long.MaxValue ? Of((long)value) : new(ValueKind.Integer, value);

    public static Value Of(double value) => new(ValueKind.Float, null, BitConverter.DoubleToInt64Bits(value));

    /// <summary>Text of the template's own.</summary>
    public static Value Of(string text) => new(ValueKind.Text, text);

    /// <summary>Text that a user supplied.</summary>
    public static Value OfUser(string text) => new(ValueKind.Text, text, 0, TextMark.User);

    public static Value List(Value[] items) => new(ValueKind.List, items);

    public static Value Tuple(params Value[] items) => new(ValueKind.Tuple, items);

    /// <summary>The pair that <c>groupby</c> yields; its parts also have the names <c>grouper</c> and <c>list</c>.</summary>
    public static Value Group(Value key, Value[] items) => new(ValueKind.Tuple, new[] { key, List(items) }, bits: 1);

    public static Value Dict(DictValue dict) => new(ValueKind.Dict, dict);

    public static Value Of(TemplateObject value) => new(ValueKind.Object, value);

    public bool IsUndefined => Kind == ValueKind.Undefined;

    public bool IsNone => Kind == ValueKind.None;

    public bool IsText => Kind == ValueKind.Text;

    /// <summary>Integers and booleans, which count as 0 and 1.</summary>
    public bool IsIntegral => Kind is ValueKind.Integer or ValueKind.Boolean;

    public bool IsNumber => Kind is ValueKind.Integer or ValueKind.Boolean or ValueKind.Float;

    /// <summary>List or tuple.</summary>
    public bool IsArray => Kind is ValueKind.List or ValueKind.Tuple;

    public bool IsGroup => Kind == ValueKind.Tuple && bits == 1;

    /// <summary>Whether an integral value exceeds 64 bits.</summary>
    public bool IsBig => reference is BigInteger;

    public bool AsBoolean => bits != 0;

    /// <summary>A number of 64 bits; valid unless <see cref="IsBig"/>.</summary>
    public long AsLong => bits;

    public BigInteger AsBig => reference is BigInteger big ? big : bits;

    /// <summary>Any number.</summary>
    // BigInteger's own conversion cuts digits off; reading them rounds.
    public double AsDouble => Kind == ValueKind.Float ? BitConverter.Int64BitsToDouble(bits) : reference is BigInteger big ? double.Parse(big.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : bits;

    /// <summary>Items of a list or tuple.</summary>
    public Value[] AsArray => (Value[])reference!;

    public DictValue AsDict => (DictValue)reference!;

    public TemplateObject AsObject => (TemplateObject)reference!;

    /// <summary>The object, if it is one of that class.</summary>
    public T? As<T>() where T : TemplateObject => Kind == ValueKind.Object ? reference as T : null;

    /// <summary>Whether both are one and the same: identity for what is compound, equality for scalars.</summary>
    public bool IsSame(Value other) => Kind == other.Kind && (ReferenceEquals(reference, other.reference) ? bits == other.bits : Kind is ValueKind.Text or ValueKind.Integer && ValueComparison.AreEqual(this, other));

    /// <summary>Python's truth: false for what is undefined, none, zero or empty.</summary>
    public bool IsTrue => Kind switch
    {
        ValueKind.Boolean => bits != 0,
        ValueKind.Integer => bits != 0 || reference is not null,
        ValueKind.Float => AsDouble != 0,
        ValueKind.Text => Text.Length > 0,
        ValueKind.List or ValueKind.Tuple => AsArray.Length > 0,
        ValueKind.Dict => AsDict.Count > 0,
        ValueKind.Object => AsObject.Length is not 0,
        _ => false,
    };

    /// <summary>Python's name of the type, for messages.</summary>
    public string TypeName => Kind switch
    {
        ValueKind.Undefined => "Undefined",
        ValueKind.None => "NoneType",
        ValueKind.Boolean => "bool",
        ValueKind.Integer => "int",
        ValueKind.Float => "float",
        ValueKind.Text => "str",
        ValueKind.List => "list",
        ValueKind.Tuple => "tuple",
        ValueKind.Dict => "dict",
        _ => AsObject.TypeName,
    };
}
