using System.Runtime.InteropServices;

namespace Inference.Cli;

/// <summary>Nobody reads standard output any more.</summary>
internal sealed class BrokenPipeException() : IOException("nobody reads standard output any more");

/// <summary>
/// Standard output through write(2). .NET's own stream drops output silently once the pipe is broken, so that a generation whose reader has
/// left would run to its end.
/// </summary>
internal sealed unsafe partial class UnixStandardOutput : Stream
{
    private const int Descriptor = 1, Interrupted = 4, TryAgain = 11, TryAgainOnApple = 35, BrokenPipe = 32;

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            nint written;
            fixed (byte* at = buffer) written = WriteDescriptor(Descriptor, at, (nuint)buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }
            switch (Marshal.GetLastPInvokeError())
            {
                case BrokenPipe: throw new BrokenPipeException();
                case Interrupted: break;
                case TryAgain or TryAgainOnApple: Thread.Sleep(1); break; // a pipe that another process made non-blocking
                default: throw new IOException("standard output: " + Marshal.GetLastPInvokeErrorMessage());
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
    public override void Flush() { }
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteDescriptor(int descriptor, byte* buffer, nuint count);
}
