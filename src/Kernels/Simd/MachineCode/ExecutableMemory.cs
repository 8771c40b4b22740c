using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>Pages with machine code: written first, then made executable and never writable again. Linux only.</summary>
internal static unsafe partial class ExecutableMemory
{
    private const int Read = 1, Write = 2, Execute = 4, PrivateAnonymous = 0x22;

    /// <summary>Copies code into pages of its own, which stay until the process ends. Null where the system does not allow it (a policy may forbid executable data).</summary>
    public static byte* TryLoad(ReadOnlySpan<byte> code)
    {
        void* pages = Map(null, (nuint)code.Length, Read | Write, PrivateAnonymous, -1, 0);
        if ((nint)pages == -1) return null;
        code.CopyTo(new Span<byte>(pages, code.Length));
        if (Protect(pages, (nuint)code.Length, Read | Execute) == 0) return (byte*)pages;
        _ = Unmap(pages, (nuint)code.Length);
        return null;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
