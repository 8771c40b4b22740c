using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Inference.Kernels;

/// <summary>
/// Per 256 columns: 16 d, 16 dmin (float16 * 1024), then four chunks of scales [2][16], mins [2][16] (bytes) and [group of 4 columns][row][4] bytes:
/// sub-block 2c in the low nibbles of chunk c, 2c + 1 in the high ones. 2,368 bytes for 16 x 256 weights, 2.8 % more than in the file.
/// </summary>
internal sealed unsafe class PackedQ4_K : PackedLayout
{
    private const int FileBytes = 144, Minima = 32, Head = 64, Mins = 32, Quants = 64, ChunkBytes = 576, BlockBytes = Head + 4 * ChunkBytes;

    public override TensorType Type => TensorType.Q4_K;
    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Sums;
    public override long PanelBytes(int columns) => columns / 256 * (long)BlockBytes;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override bool Pack(byte** rows, int columns, byte* panel)
    {
        bool fits = true;
        nint at = 0;
        for (int b = 0; b < columns / 256; b++, at += FileBytes, panel += BlockBytes)
        {
            fits &= StoredHalves.TryStore(rows, at, panel) & StoredHalves.TryStore(rows, at + 2, panel + Minima);
            StoreScalesAndMins(rows, at, panel + Head, ChunkBytes);
            for (int c = 0; c < 4; c++) RowTransposition.Dwords(rows, at + 16 + 32 * c, 8, panel + Head + c * ChunkBytes + Quants);
        }
        return fits;
    }

    /// <summary>Writes scales [2][16] and mins [2][16] (6-bit numbers as bytes) to the head of each of four chunks, from the blocks at byte <paramref name="at"/> of 16 rows.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void StoreScalesAndMins(byte** rows, nint at, byte* chunks, int chunkBytes)
    {
        uint* file = stackalloc uint[4 * 16], quads = stackalloc uint[16];
        byte* bytes = stackalloc byte[4 * 16];
        RowTransposition.Dwords(rows, at, 4, (byte*)file); // d and dmin, then the 12 bytes of Q4_KFormat.ScaleAndMin
        Vector128<uint> six = Vector128.Create(0x3f3f3f3fu), four = Vector128.Create(0x0f0f0f0fu), upper = Vector128.Create(0x30303030u);
        for (int half = 0; half < 2; half++)
            for (int min = 0; min < 2; min++)
            {
                uint* first = file + 16 * (1 + min), last = file + 16 * 3;
                for (int r = 0; r < 16; r += 4)
                {
                    Vector128<uint> low = Vector128.Load(first + r);
                    (half == 0 ? low & six : Vector128.Load(last + r) >> 4 * min & four | low >> 2 & upper).Store(quads + r);
                }
                RowTransposition.Bytes(quads, bytes);
                byte* to = chunks + 2 * half * chunkBytes + min * Mins;
                Buffer.MemoryCopy(bytes, to, 32, 32);
                Buffer.MemoryCopy(bytes + 32, to + chunkBytes, 32, 32);
            }
    }

    public override void DecodeRow(byte* panel, int row, Span<float> values)
    {
        for (int b = 0; b < values.Length / 256; b++, panel += BlockBytes)
        {
            float d = Stored(panel + 2 * row), dmin = Stored(panel + Minima + 2 * row);
            for (int j = 0; j < 8; j++)
            {
                byte* chunk = panel + Head + j / 2 * ChunkBytes;
                float scale = d * chunk[j % 2 * 16 + row], min = dmin * chunk[Mins + j % 2 * 16 + row];
                Span<float> block = values.Slice(256 * b + 32 * j, 32);
                for (int i = 0; i < 32; i++) block[i] = scale * (chunk[Quants + i / 4 * 64 + 4 * row + i % 4] >> (j % 2 * 4) & 15) - min;
            }
        }
    }
}
