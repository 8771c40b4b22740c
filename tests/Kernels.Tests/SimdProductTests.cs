using System.Runtime.Intrinsics.X86;
using Inference.Kernels.Cases;

namespace Inference.Kernels.Tests;

/// <summary>What packed products promise beyond small errors: bits that do not depend on the batch, and a packed form that loses nothing.</summary>
public unsafe class SimdProductTests
{
    private const int Rows = 150, Tokens = 17;

    public static TheoryData<string, string> LevelsAndFormats()
    {
        var data = new TheoryData<string, string>();
        foreach (SimdLevel level in Enum.GetValues<SimdLevel>())
            foreach (TensorFormat format in TensorFormat.All) data.Add(level.ToString(), format.Name);
        return data;
    }

    public static TheoryData<string> Formats => new(TensorFormat.All.Select(f => f.Name));

    private static SimdLevel Level(string name)
    {
        var level = Enum.Parse<SimdLevel>(name);
        Assert.SkipUnless(SimdLevels.IsSupported(level), "instruction set absent: " + name);
        return level;
    }

    private static TensorFormat Format(string name) => TensorFormat.All.Single(f => f.Name == name);

    /// <summary>Columns that exercise several blocks; float formats take any number.</summary>
    private static int Columns(TensorFormat format) => format.BlockElements == 1 ? 333 : 3 * Math.Max(format.BlockElements, 64);

    [Theory, MemberData(nameof(LevelsAndFormats))]
    public void A_row_has_the_same_bits_alone_and_in_any_batch(string levelName, string formatName)
    {
        SimdLevel level = Level(levelName);
        TensorFormat format = Format(formatName);
        int columns = Columns(format);
        float[] x = RandomTensor.Activations(Tokens * columns, 3);
        using var tensor = new RandomTensor(format, Rows, columns, 1);
        float[][] alone = [.. Enumerable.Range(0, Tokens).Select(t => Run(level, 1, tensor, x.AsSpan(t * columns, columns), 1))];
        for (int tokens = 1; tokens <= Tokens; tokens++)
            for (int threads = 1; threads <= 2; threads++)
            {
                float[] together = Run(level, threads, tensor, x.AsSpan(0, tokens * columns), tokens);
                for (int t = 0; t < tokens; t++) AssertSameBits(alone[t], together.AsSpan(t * 3 * Rows, 3 * Rows), $"token {t} of {tokens}, {threads} threads");
            }
    }

    /// <summary>[token][LinearAdd, NormLinear, Logits][row]</summary>
    private static float[] Run(SimdLevel level, int threads, RandomTensor tensor, ReadOnlySpan<float> x, int tokens)
    {
        int columns = tensor.Source.Columns;
        using var kernels = new SimdKernels(level, threads);
        using Weight weight = kernels.LoadWeight(tensor.Source, exact: false);
        using ParameterVector gain = kernels.LoadVector(RandomTensor.Activations(columns, 6)), bias = kernels.LoadVector(RandomTensor.Activations(Rows, 7));
        StepBatch batch = ProductCases.Rows(tokens, 1, 2);
        using Activations input = kernels.AllocateActivations(tokens, columns);
        kernels.Fill(input, x);
        Activations[] outputs = [.. Enumerable.Range(0, 3).Select(_ => kernels.AllocateActivations(tokens, Rows))];
        kernels.LinearAdd(batch, input, weight, bias, outputs[0]);
        kernels.NormLinear(batch, input, gain, 1e-5f, [new Projection(weight, bias, outputs[1])]);
        kernels.Logits(batch, 0, tokens, input, gain, 1e-5f, weight, outputs[2]);
        var result = new float[tokens * 3 * Rows];
        for (int t = 0; t < tokens; t++)
            for (int o = 0; o < 3; o++) kernels.Download(outputs[o], tokens).Slice(t * Rows, Rows).CopyTo(result.AsSpan((t * 3 + o) * Rows));
        foreach (Activations output in outputs) output.Dispose();
        return result;
    }

    [Theory, MemberData(nameof(LevelsAndFormats))]
    public void Activation_within_a_product_gives_the_bits_of_the_two_operations(string levelName, string formatName)
    {
        SimdLevel level = Level(levelName);
        TensorFormat format = Format(formatName);
        int columns = Columns(format);
        using var tensor = new RandomTensor(format, Rows, columns, 1);
        using var kernels = new SimdKernels(level, 2);
        using Weight weight = kernels.LoadWeight(tensor.Source, exact: false);
        using Activations gate = kernels.AllocateActivations(Tokens, columns), up = kernels.AllocateActivations(Tokens, columns), product = kernels.AllocateActivations(Tokens, columns);
        using Activations apart = kernels.AllocateActivations(Tokens, Rows), within = kernels.AllocateActivations(Tokens, Rows);
        float[] residual = RandomTensor.Activations(Tokens * Rows, 6);
        kernels.Fill(gate, [.. RandomTensor.Activations(Tokens * columns, 4).Select(v => v * 12)]);
        kernels.Fill(up, RandomTensor.Activations(Tokens * columns, 5));
        kernels.Fill(apart, residual);
        kernels.Fill(within, residual);
        StepBatch batch = ProductCases.Rows(Tokens, 1, 2);
        kernels.GateUpActivation(batch, gate, up, product);
        kernels.LinearAdd(batch, product, weight, null, apart);
        kernels.GateUpLinearAdd(batch, gate, up, product, weight, within);
        AssertSameBits(kernels.Download(apart, Tokens), kernels.Download(within, Tokens), "activation within");
        kernels.LinearAdd(batch, product, weight, null, apart);
        kernels.LinearAdd(batch, product, weight, null, within);
        AssertSameBits(kernels.Download(apart, Tokens), kernels.Download(within, Tokens), "a product after it");
        Assert.NotEqual(residual, kernels.Download(within, Tokens).ToArray());
        using Activations narrow = kernels.AllocateActivations(Tokens, columns - 1);
        Assert.Throws<ArgumentException>(() => kernels.GateUpLinearAdd(batch, gate, narrow, product, weight, within));
    }

    /// <summary>Block sums are exact and float sums go in order of columns with fused multiply-adds, so every instruction set that has those gives the same bits.</summary>
    [Theory, MemberData(nameof(Formats))]
    public void Instruction_sets_give_the_same_bits(string formatName)
    {
        SimdLevel[] levels = [.. Enum.GetValues<SimdLevel>().Where(SimdLevels.IsSupported)];
        Assert.SkipUnless(Fma.IsSupported && levels.Length > 1, "one instruction set only");
        int columns = Columns(Format(formatName));
        using var tensor = new RandomTensor(Format(formatName), Rows, columns, 1);
        float[] x = RandomTensor.Activations(11 * columns, 3);
        float[][] results = [.. levels.Select(level => Run(level, 2, tensor, x, 11))];
        for (int i = 1; i < levels.Length; i++) AssertSameBits(results[0], results[i], $"{levels[0]} and {levels[i]}");
    }

    [Theory, MemberData(nameof(Formats))]
    public void Embeds_the_bits_of_the_file_from_the_packed_form(string formatName)
    {
        TensorFormat format = Format(formatName);
        int columns = Columns(format);
        using var tensor = new RandomTensor(format, Rows, columns, 5);
        using var kernels = new SimdKernels(SimdLevels.Best, 2);
        using Weight table = kernels.LoadWeight(tensor.Source, exact: false);
        Assert.Equal(format.Type, table.Type);
        Assert.InRange(table.PackedBytes, 1, tensor.Source.Bytes / Rows * 192 * 106 / 100); // rows filled up to 192, and 6 % for unpacked scales
        StepBatch batch = ProductCases.Rows(Rows, Rows, 2);
        for (int r = 0; r < Rows; r++) batch.Tokens[r] = Rows - 1 - r;
        using Activations x = kernels.AllocateActivations(Rows, columns);
        kernels.Embed(batch, table, x);
        var expected = new float[columns];
        for (int r = 0; r < Rows; r++)
        {
            tensor.Source.DecodeRow(batch.Tokens[r], expected);
            AssertSameBits(expected, kernels.Download(x, Rows).Slice(r * columns, columns), "row " + r);
        }
    }

    [Theory, MemberData(nameof(Formats))]
    public void Agrees_with_the_reference_without_packing(string formatName)
    {
        foreach (bool exact in (bool[])[false, true])
        {
            using var tensor = new RandomTensor(Format(formatName), 35, Columns(Format(formatName)), 1);
            using var kernels = new SimdKernels(SimdLevels.Best, 2, pack: false);
            AssertAgrees(kernels, tensor, exact);
        }
    }

    /// <summary>Packed float16 numbers are stored times 1024: from 64 on they do not fit, and such a matrix must still be right.</summary>
    [Theory, InlineData("F16"), InlineData("Q8_0"), InlineData("Q4_0"), InlineData("Q4_1"), InlineData("Q5_0"), InlineData("Q5_1"), InlineData("IQ4_NL"), InlineData("Q4_K"), InlineData("Q5_K")]
    public void Numbers_beyond_the_packed_form_are_right(string formatName)
    {
        TensorFormat format = Format(formatName);
        using var tensor = new RandomTensor(format, 20, Columns(format), 1);
        *(ushort*)(tensor.Source.Data + (nint)format.RowBytes(tensor.Source.Columns) * 7) = Half16.FromSingle(-64);
        using var kernels = new SimdKernels(SimdLevels.Best, 2);
        AssertAgrees(kernels, tensor, exact: false);
    }

    /// <summary>The largest quants and scales times activations that are all 127 or all -127: no sum may leave its integer type on the way.</summary>
    [Theory, MemberData(nameof(LevelsAndPackedFormats))]
    public void Sums_at_their_limits_are_right(string levelName, string formatName)
    {
        using var kernels = new SimdKernels(Level(levelName), 1);
        TensorFormat format = Format(formatName);
        foreach (byte pattern in (byte[])[0x00, 0xff, 0x0f, 0xf0, 0x88, 0x77])
        {
            using var tensor = new RandomTensor(format, 16, 512, 1);
            var bytes = new Span<byte>((void*)tensor.Source.Data, (int)tensor.Source.Bytes);
            for (int i = 0; i < bytes.Length; i++)
                if (!IsNumber(format.Type, i % format.BlockBytes)) bytes[i] = pattern;
            foreach (float sign in (float[])[1, -1]) AssertAgrees(kernels, tensor, exact: false, _ => sign);
        }
    }

    public static TheoryData<string, string> LevelsAndPackedFormats()
    {
        var data = new TheoryData<string, string>();
        foreach (SimdLevel level in Enum.GetValues<SimdLevel>())
            foreach (TensorFormat format in TensorFormat.All.Where(f => f.BlockElements > 1 && PackedLayout.Find(f.Type) is not null)) data.Add(level.ToString(), format.Name);
        return data;
    }

    /// <summary>Whether a byte of a block belongs to a floating-point number.</summary>
    private static bool IsNumber(TensorType type, int at) => type switch
    {
        TensorType.MXFP4 => at == 0,
        TensorType.Q4_1 or TensorType.Q5_1 or TensorType.Q4_K or TensorType.Q5_K => at < 4,
        TensorType.Q2_K => at >= 80,
        TensorType.Q3_K => at >= 108,
        TensorType.Q6_K => at >= 208,
        _ => at < 2,
    };

    /// <summary>MXFP4 has a bare exponent for a scale; 0 and 1 stand for subnormal numbers, which only blocks of zeros have in practice.</summary>
    [Theory, InlineData(0, true), InlineData(1, true), InlineData(0, false), InlineData(1, false), InlineData(2, false), InlineData(130, false)]
    public void Extreme_exponents_are_right(int exponent, bool zeros)
    {
        using var tensor = new RandomTensor(Format("MXFP4"), 20, 64, 1);
        var block = new Span<byte>((void*)(tensor.Source.Data + 2 * 17 * 7), 17);
        block[0] = (byte)exponent;
        if (zeros)
            for (int i = 1; i < 17; i++) block[i] = (byte)((i & 1) * 0x80 | (i & 2) * 0x04);
        using var kernels = new SimdKernels(SimdLevels.Best, 2);
        AssertAgrees(kernels, tensor, exact: false);
    }

    private static void AssertAgrees(SimdKernels kernels, RandomTensor tensor, bool exact, Func<float, float>? activation = null)
    {
        using var reference = new ReferenceKernels();
        float[][] results = [.. new KernelSet[] { kernels, reference }.Select(set =>
        {
            using Weight weight = set.LoadWeight(tensor.Source, exact);
            StepBatch batch = ProductCases.Rows(3, weight.Rows, 2);
            using Activations x = set.AllocateActivations(3, weight.Columns), y = set.AllocateActivations(3, weight.Rows);
            using ParameterVector bias = set.LoadVector(RandomTensor.Activations(weight.Rows, 7));
            set.Embed(batch, weight, x);
            float[] rows = set.Download(x, 3).ToArray();
            float[] values = RandomTensor.Activations(3 * weight.Columns, 4);
            set.Fill(x, activation is null ? values : [.. values.Select(activation)]);
            set.LinearAdd(batch, x, weight, bias, y);
            return (float[])[.. rows, .. set.Download(y, 3)];
        })];
        int embedded = 3 * tensor.Source.Columns;
        AssertSameBits(results[1].AsSpan(0, embedded), results[0].AsSpan(0, embedded), "embedding");
        Assert.InRange(OperationCase.Error(results[0].AsSpan(embedded), results[1].AsSpan(embedded)), 0, 2e-5);
    }

    /// <summary>A format that this build has no tiles for: 16 weights of 2 in a block, sign bits in two bytes.</summary>
    private sealed class SignFormat : TensorFormat
    {
        public override TensorType Type => (TensorType)1000;
        public override int BlockElements => 16;
        public override int BlockBytes => 2;

        public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
        {
            for (int i = 0; i < values.Length; i++) values[i] = (blocks[i / 8] >> (i % 8) & 1) == 0 ? 2 : -2;
        }
    }

    [Fact]
    public void A_format_without_tiles_works_with_its_decoder_alone()
    {
        var bytes = new byte[40 * 8];
        new Random(1).NextBytes(bytes);
        fixed (byte* data = bytes)
        {
            var source = new TensorSource("signs", new SignFormat(), 40, 64, (nint)data);
            using var kernels = new SimdKernels(SimdLevels.Best, 2);
            using Weight weight = kernels.LoadWeight(source, exact: false);
            using Activations x = kernels.AllocateActivations(1, 64), y = kernels.AllocateActivations(1, 40);
            float[] values = RandomTensor.Activations(64, 2), row = new float[64];
            kernels.Fill(x, values);
            kernels.LinearAdd(ProductCases.Rows(1, 1, 2), x, weight, null, y);
            float[] rounded = Linear.RoundActivations(values);
            for (int r = 0; r < 40; r++)
            {
                source.DecodeRow(r, row);
                double expected = 0;
                for (int i = 0; i < 64; i++) expected += (double)row[i] * rounded[i];
                Assert.Equal(expected, kernels.Download(y, 1)[r], 1e-4);
            }
        }
    }

    [Fact]
    public void Activations_are_quantised_to_the_bits_of_the_reference()
    {
        const int columns = 256, tokens = 7;
        float[] x = RandomTensor.Activations(columns * tokens, 9);
        Array.Clear(x, 64, 32);
        x[100] = 0.5f;
        x[101] = 127f * 3;
        x[102] = 4.5f; // ties: with scale 3 these are 1.5 and 0.1666
        using var input = new ProductInput(4);
        input.Begin(tokens, columns, ActivationForm.Int8 | ActivationForm.Sums);
        fixed (float* p = x)
            for (int t = tokens - 1; t >= 0; t--) input.Set(t, p + t * columns);
        var quants = new sbyte[columns];
        var scales = new float[columns / 32];
        for (int t = 0; t < tokens; t++)
        {
            ActivationQuantization.Reference(x.AsSpan(t * columns, columns), quants, scales);
            // Three tokens are left for the second tile: the narrowest that holds them has four places.
            (int first, int width, int count) = t < 4 ? (0, 4, 4) : (4, 4, 3);
            ProductInput.TokenTile* of = input.TileOf(t);
            Assert.Equal((first, width, count), (of->First, of->Width, of->Count));
            TileInput tile = of->Input;
            for (int b = 0; b < columns / 32; b++)
            {
                int at = b * width + t - first;
                Assert.Equal(quants.AsSpan(b * 32, 32), new ReadOnlySpan<sbyte>(tile.Quants + at * 32, 32));
                Assert.Equal(scales[b], tile.Scales[at]);
                Assert.Equal(-scales[b] * quants.Skip(b * 32).Take(32).Sum(q => q), tile.NegativeSums[at]);
            }
        }
    }

    [Fact]
    public void Warm_products_allocate_nothing()
    {
        using var kernels = new SimdKernels(SimdLevels.Best, 2);
        using var tensor = new RandomTensor(Format("Q4_K"), 96, 512, 1);
        using Weight weight = kernels.LoadWeight(tensor.Source, exact: false);
        using ParameterVector gain = kernels.LoadVector(RandomTensor.Activations(512, 6));
        StepBatch batch = ProductCases.Rows(9, 96, 2);
        using Activations x = kernels.AllocateActivations(9, 512), y = kernels.AllocateActivations(9, 96);
        var projections = new Projection[] { new(weight, null, y) };
        void Step()
        {
            kernels.Embed(batch, weight, x);
            kernels.NormLinear(batch, x, gain, 1e-5f, projections);
            kernels.LinearAdd(batch, x, weight, null, y);
            kernels.Logits(batch, 2, 3, x, gain, 1e-5f, weight, y);
        }
        Step();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++) Step();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Operands_that_do_not_fit_are_refused()
    {
        using var kernels = new SimdKernels(SimdLevels.Best, 1);
        using var tensor = new RandomTensor(Format("Q8_0"), 40, 64, 1);
        using Weight weight = kernels.LoadWeight(tensor.Source, exact: false);
        using Activations x = kernels.AllocateActivations(2, 64), y = kernels.AllocateActivations(2, 40), narrow = kernels.AllocateActivations(2, 32);
        using ParameterVector gain = kernels.LoadVector(new float[64]), shortVector = kernels.LoadVector(new float[39]);
        StepBatch two = ProductCases.Rows(2, 40, 2), three = ProductCases.Rows(3, 40, 2);
        Assert.Throws<ArgumentException>(() => kernels.LinearAdd(three, x, weight, null, y));
        Assert.Throws<ArgumentException>(() => kernels.LinearAdd(two, narrow, weight, null, y));
        Assert.Throws<ArgumentException>(() => kernels.LinearAdd(two, x, weight, null, x));
        Assert.Throws<ArgumentException>(() => kernels.LinearAdd(two, x, weight, shortVector, y));
        Assert.Throws<ArgumentException>(() => kernels.NormLinear(two, x, shortVector, 1e-5f, [new Projection(weight, null, y)]));
        two.OutputRows[1] = 2;
        Assert.Throws<ArgumentException>(() => kernels.Logits(two, 0, 2, x, gain, 1e-5f, weight, y));
        two.Tokens[1] = 40;
        Assert.Contains("token 40", Assert.Throws<ArgumentException>(() => kernels.Embed(two, weight, x)).Message);
    }

    private static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string where)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(BitConverter.SingleToInt32Bits(expected[i]) == BitConverter.SingleToInt32Bits(actual[i]), $"{where}, element {i}: {expected[i]:R} and {actual[i]:R}");
    }
}
