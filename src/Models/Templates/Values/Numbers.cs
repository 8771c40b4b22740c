using System.Numerics;

namespace Inference.Models.Templates;

/// <summary>Python's arithmetic: integers without overflow (within reason), true and floor division, a remainder with the divisor's sign.</summary>
internal static class Numbers
{
    /// <summary>Largest integer that is computed with; beyond this a template is up to no good.</summary>
    private const int MaxBits = 4096;

    /// <summary>Below, at or above zero; null where a NaN is in play.</summary>
    public static int? Compare(Value left, Value right)
    {
        if (left.Kind != ValueKind.Float && right.Kind != ValueKind.Float)
            return left.IsBig || right.IsBig ? left.AsBig.CompareTo(right.AsBig) : left.AsLong.CompareTo(right.AsLong);
        double a = left.AsDouble, b = right.AsDouble;
        if (double.IsNaN(a) || double.IsNaN(b)) return null;
        // An integer above 2^53 may round to the float that it is compared with.
        if (a == b && left.Kind != right.Kind && double.IsFinite(a) && Math.Abs(a) >= 1L << 53) return Whole(left).CompareTo(Whole(right));
        return a.CompareTo(b);
    }

    public static Value Add(Value a, Value b)
    {
        if (AnyFloat(a, b)) return Value.Of(a.AsDouble + b.AsDouble);
        if (!AnyBig(a, b) && TryAdd(a.AsLong, b.AsLong, out long sum)) return Value.Of(sum);
        return Bounded(a.AsBig + b.AsBig);
    }

    public static Value Subtract(Value a, Value b) => AnyFloat(a, b) ? Value.Of(a.AsDouble - b.AsDouble) : Add(a, Negate(b));

    public static Value Multiply(Value a, Value b) => AnyFloat(a, b) ? Value.Of(a.AsDouble * b.AsDouble) : Bounded(a.AsBig * b.AsBig);

    public static Value Divide(Value a, Value b)
    {
        double divisor = b.AsDouble;
        return divisor == 0 ? throw Zero() : Value.Of(a.AsDouble / divisor);
    }

    public static Value FloorDivide(Value a, Value b)
    {
        if (!b.IsTrue) throw Zero();
        if (AnyFloat(a, b)) return Value.Of(Math.Floor(a.AsDouble / b.AsDouble));
        BigInteger quotient = BigInteger.DivRem(a.AsBig, b.AsBig, out BigInteger rest);
        return Value.Of(rest.Sign != 0 && rest.Sign != b.AsBig.Sign ? quotient - 1 : quotient);
    }

    public static Value Modulo(Value a, Value b)
    {
        if (!b.IsTrue) throw Zero();
        if (AnyFloat(a, b))
        {
            double divisor = b.AsDouble, rest = a.AsDouble % divisor;
            return Value.Of(rest != 0 && Math.Sign(rest) != Math.Sign(divisor) ? rest + divisor : rest);
        }
        if (!AnyBig(a, b) && b.AsLong > 0) return Value.Of(((a.AsLong % b.AsLong) + b.AsLong) % b.AsLong);
        BigInteger remainder = a.AsBig % b.AsBig;
        return Value.Of(remainder.Sign != 0 && remainder.Sign != b.AsBig.Sign ? remainder + b.AsBig : remainder);
    }

    public static Value Power(Value a, Value b)
    {
        if (AnyFloat(a, b) || b.AsBig.Sign < 0)
        {
            if (a.AsDouble == 0 && b.AsDouble < 0) throw Zero();
            double power = Math.Pow(a.AsDouble, b.AsDouble);
            return double.IsNaN(power) && a.AsDouble < 0 ? throw new TemplateException("a power is not a real number") : Value.Of(power);
        }
        long bits = Math.Max(1, (long)BigInteger.Abs(a.AsBig).GetBitLength());
        if (b.IsBig || (bits > 1 && b.AsLong > MaxBits / (bits - 1))) return a.AsBig.IsOne || a.AsBig.IsZero ? a : throw TooBig();
        // What is left with a huge exponent is -1, 0 or 1.
        return bits == 1 ? Value.Of(a.AsLong == -1 && b.AsLong % 2 == 0 ? 1 : b.AsLong == 0 ? 1 : a.AsLong) : Bounded(BigInteger.Pow(a.AsBig, (int)b.AsLong));
    }

    public static Value Negate(Value a) => a.Kind == ValueKind.Float ? Value.Of(-a.AsDouble) : !a.IsBig && a.AsLong != long.MinValue ? Value.Of(-a.AsLong) : Value.Of(-a.AsBig);

    public static Value Absolute(Value a) => a.Kind == ValueKind.Float ? Value.Of(Math.Abs(a.AsDouble)) : Value.Of(BigInteger.Abs(a.AsBig));

    /// <summary>The integer next to the number on zero's side.</summary>
    public static Value Truncate(double value) =>
        double.IsFinite(value) ? Value.Of(new BigInteger(value)) : throw new TemplateException("infinity and NaN have no integer");

    /// <summary>Rounds to decimal places, a tie to the even digit, as the exact binary value lies.</summary>
    /// <param name="value">Finite.</param>
    /// <param name="places">Places behind the point, perhaps negative.</param>
    /// <returns>The value times 10^places as an integer.</returns>
    public static BigInteger RoundScaled(double value, int places)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int exponent = (int)((bits >> 52) & 0x7FF);
        long mantissa = exponent == 0 ? (bits & 0xFFFFFFFFFFFFF) : (bits & 0xFFFFFFFFFFFFF) | (1L << 52);
        int power = Math.Max(exponent, 1) - 1075;
        BigInteger numerator = mantissa, denominator = 1;
        if (places >= 0) numerator *= BigInteger.Pow(10, places);
        else denominator = BigInteger.Pow(10, -places);
        if (power >= 0) numerator <<= power;
        else denominator <<= -power;
        BigInteger quotient = BigInteger.DivRem(numerator, denominator, out BigInteger rest);
        int half = (rest * 2).CompareTo(denominator);
        if (half > 0 || (half == 0 && !quotient.IsEven)) quotient++;
        return value < 0 ? -quotient : quotient;
    }

    private static bool TryAdd(long a, long b, out long sum)
    {
        sum = unchecked(a + b);
        // The sum overflowed if both have a sign that it lacks.
        return ((a ^ sum) & (b ^ sum)) >= 0;
    }

    private static BigInteger Whole(Value value) => value.Kind == ValueKind.Float ? new BigInteger(value.AsDouble) : value.AsBig;

    private static bool AnyFloat(Value a, Value b) => a.Kind == ValueKind.Float || b.Kind == ValueKind.Float;

    private static bool AnyBig(Value a, Value b) => a.IsBig || b.IsBig;

    private static Value Bounded(BigInteger value) => value.GetBitLength() <= MaxBits ? Value.Of(value) : throw TooBig();

    private static TemplateException TooBig() => new($"an integer has more than {MaxBits} bits");

    private static TemplateException Zero() => new("division by zero");
}
