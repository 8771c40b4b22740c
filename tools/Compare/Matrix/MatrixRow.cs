namespace Inference.Compare;

/// <summary>One result: a line of the file of results.</summary>
internal sealed record MatrixRow
{
    /// <summary>The file's name up to its last dash, and after it in capitals.</summary>
    public required string Model { get; init; }
    public required string Type { get; init; }
    public required string File { get; init; }
    public required TypeBytes[] Types { get; init; }

    /// <summary>Name of the test, its kind and its size.</summary>
    public required string Test { get; init; }
    public required TestKind Kind { get; init; }
    public required int Size { get; init; }
    public required int Threads { get; init; }
    public required string Kv { get; init; }

    /// <summary>Build of llama.cpp.</summary>
    public required string Lib { get; init; }

    /// <summary>tok/s, ms or MiB.</summary>
    public required string Unit { get; init; }

    /// <summary>Figures of each round.</summary>
    public required double[] Ours { get; init; }
    public required double[] Theirs { get; init; }
    public required double OursMedian { get; init; }
    public required double TheirsMedian { get; init; }

    /// <summary>Median of the rounds' ratios, ours to theirs.</summary>
    public required double Ratio { get; init; }

    /// <summary>Part of each round of theirs in which its threads waited for a processor that another process had: above a few per cent the row tells nothing.</summary>
    public double[]? Stolen { get; init; }

    /// <summary>Read bandwidth beside each round, and the median share of it that our weights were read at; null where weights do not bound the test.</summary>
    public double[]? ReadGbs { get; init; }
    public double? ReadShare { get; init; }

    /// <summary>Most that the issue allows, in the row's unit.</summary>
    public double? Limit { get; init; }
    public required DateTime Date { get; init; }
    public required string Cpu { get; init; }

    /// <summary>Commit of our tree.</summary>
    public required string Revision { get; init; }

    /// <summary>Whether the row is of this file, thread count and KV type.</summary>
    public bool IsOf(string file, int threads, string kv) => File == file && Threads == threads && Kv == kv;
}
