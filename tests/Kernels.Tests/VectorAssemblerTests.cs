namespace Inference.Kernels.Tests;

/// <summary>Encodings against those of the GNU assembler 2.40 for the same instructions (with 32-bit offsets and constants where it would choose shorter ones).</summary>
public class VectorAssemblerTests
{
    private static Address At(Gpr register, int offset) => new(register, offset);

    private static readonly (string Name, Action<VectorAssembler> Write, string Bytes)[] Golden =
    [
        ("vmovups 64(%rax),%zmm3", a => a.Load(3, At(Gpr.Rax, 64)), "62f17c48105801"),
        ("vmovups 100(%r8),%zmm19", a => a.Load(19, At(Gpr.R8, 100)), "62c17c48109864000000"),
        ("vmovups %zmm31,-128(%rcx)", a => a.Store(At(Gpr.Rcx, -128), 31), "62617c481179fe"),
        ("vpbroadcastd 8(%r10),%zmm15", a => a.Broadcast(15, At(Gpr.R10, 8)), "62527d48587a02"),
        ("vpbroadcastd %edi,%zmm16", a => a.Broadcast(16, Gpr.Rdi), "62e27d487cc7"),
        ("vpbroadcastd %r11d,%zmm7", a => a.Broadcast(7, Gpr.R11), "62d27d487cfb"),
        ("vcvtph2ps 32(%rax),%zmm20", a => a.HalvesToSingle(20, At(Gpr.Rax, 32)), "62e27d48136001"),
        ("vpmovzxbd 48(%rdi),%zmm17", a => a.WidenBytes(17, At(Gpr.Rdi, 48)), "62e27d48314f03"),
        ("vpmovsxbd 16(%rdi),%zmm20", a => a.WidenSignedBytes(20, At(Gpr.Rdi, 16)), "62e27d48216701"),
        ("vcvtdq2ps %zmm24,%zmm9", a => a.ToSingle(9, 24), "62117c485bc8"),
        ("vpdpbusd 508(%r8){1to16},%zmm17,%zmm12", a => a.Dot(12, 17, At(Gpr.R8, 508)), "6252755050607f"),
        ("vpdpbusd 512(%r8){1to16},%zmm18,%zmm3", a => a.Dot(3, 18, At(Gpr.R8, 512)), "62d26d50509800020000"),
        ("vpandd %zmm31,%zmm16,%zmm17", a => a.And(17, 16, 31), "62817d40dbcf"),
        ("vpord %zmm20,%zmm9,%zmm25", a => a.Or(25, 9, 20), "62213548ebcc"),
        ("vpxord %zmm5,%zmm5,%zmm5", a => a.Zero(5), "62f15548efed"),
        ("vpaddd %zmm21,%zmm8,%zmm8", a => a.Add(8, 8, 21), "62313d48fec5"),
        ("vpmulld %zmm17,%zmm30,%zmm2", a => a.Multiply(2, 30, 17), "62b20d4040d1"),
        ("vmulps %zmm19,%zmm20,%zmm21", a => a.MultiplySingle(21, 20, 19), "62a15c4059eb"),
        ("vmulps 4(%r9){1to16},%zmm16,%zmm17", a => a.MultiplySingle(17, 16, At(Gpr.R9, 4)), "62c17c50594901"),
        ("vfmadd231ps %zmm16,%zmm22,%zmm0", a => a.MultiplyAdd(0, 22, 16), "62b24d40b8c0"),
        ("vfmadd231ps -4(%rdx){1to16},%zmm9,%zmm29", a => a.MultiplyAdd(29, 9, At(Gpr.Rdx, -4)), "62623558b86aff"),
        ("vpslld $7,%zmm8,%zmm23", a => a.ShiftLeft(23, 8, 7), "62d1454072f007"),
        ("vpsllw $4,%zmm20,%zmm21", a => a.ShiftShorts(21, 20, 4), "62b1554071f404"),
        ("vpsrlw $3,%zmm18,%zmm1", a => a.ShiftShorts(1, 18, -3), "62b1754871d203"),
        ("prefetcht0 4160(%rax)", a => a.Prefetch(At(Gpr.Rax, 4160)), "0f188840100000"),
        ("prefetcht0 4160(%r9)", a => a.Prefetch(At(Gpr.R9, 4160)), "410f188940100000"),
        ("movq %rdi,%rax", a => a.Move(Gpr.Rax, Gpr.Rdi), "4889f8"),
        ("movq %rsi,%r11", a => a.Move(Gpr.R11, Gpr.Rsi), "4989f3"),
        ("{disp32} movq 56(%rdx),%r10", a => a.Move(Gpr.R10, At(Gpr.Rdx, 56)), "4c8b9238000000"),
        ("{disp32} movq 8(%r8),%rdx", a => a.Move(Gpr.Rdx, At(Gpr.R8, 8)), "498b9008000000"),
        ("rex movl $0x0f0f0f0f,%eax", a => a.Move(Gpr.Rax, 0x0f0f0f0f), "40b80f0f0f0f"),
        ("movl $4,%r9d", a => a.Move(Gpr.R9, 4), "41b904000000"),
        ("addq $256,%r8", a => a.Add(Gpr.R8, 256), "4981c000010000"),
        ("shrl $5,%r11d", a => a.ShiftRight(Gpr.R11, 5), "41c1eb05"),
        ("pushq %rbx", a => a.Push(Gpr.Rbx), "53"),
        ("popq %rbx", a => a.Pop(Gpr.Rbx), "5b"),
        ("vzeroupper; ret", a => a.Return(), "c5f877c3"),
        ("1: decl %r11d; jnz 1b", a => a.DecrementAndLoop(Gpr.R11, 0), "41ffcb0f85f7ffffff"),
    ];

    public static TheoryData<string> Names() => [.. Golden.Select(g => g.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Instructions_are_encoded_as_by_the_GNU_assembler(string name)
    {
        (_, Action<VectorAssembler> write, string bytes) = Golden.Single(g => g.Name == name);
        var assembler = new VectorAssembler();
        write(assembler);
        Assert.Equal(bytes.Replace(" ", "", StringComparison.Ordinal), Convert.ToHexStringLower(assembler.ToArray()));
    }

    /// <summary>Where the processor and the system allow it, the level is there and is the best: nothing falls back in silence.</summary>
    [Fact]
    public void The_level_is_there_where_the_processor_has_the_instruction()
    {
        string flags = File.Exists("/proc/cpuinfo") ? File.ReadAllText("/proc/cpuinfo") : "";
        Assert.SkipUnless(flags.Contains("avx512_vnni", StringComparison.Ordinal), "instruction set absent: Avx512Vnni");
        Assert.Equal(SimdLevel.Avx512Vnni, SimdLevels.Best);
    }
}
