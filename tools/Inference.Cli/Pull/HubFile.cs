using System.Security.Cryptography;
using System.Text;

namespace Inference.Cli;

/// <summary>A file of a repository at one commit.</summary>
/// <param name="Path">Relative, with slashes; checked to stay inside a folder.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Id">What its content hashes to, lower-case hex: 64 digits are the SHA-256 of a large file (LFS), 40 the git object id of a small one. Also the blob's name in the cache.</param>
internal sealed record HubFile(string Path, long Size, string Id)
{
    private const int Sha256Digits = 64, GitDigits = 40;

    public bool IsLarge => Id.Length == Sha256Digits;

    public string HashName => IsLarge ? "SHA-256" : "git object id";

    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    /// <summary>A hash to which the content must be appended. git hashes a header in front of it.</summary>
    public IncrementalHash NewHash()
    {
        if (IsLarge) return IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Encoding.ASCII.GetBytes($"blob {Size}\0"));
        return hash;
    }

    public static bool IsId(string text) => text.Length is Sha256Digits or GitDigits && text.All(char.IsAsciiHexDigitLower);

    /// <summary>Whether a path from a server may be a path below a folder of ours, on every system.</summary>
    public static bool IsSafe(string path) => path.Length is > 0 and <= 1024 && path.Split('/').All(IsSafeName);

    private static bool IsSafeName(string name) =>
        name is not ("" or "." or "..") && !name.Contains('\\') && !name.Any(char.IsControl) && name.IndexOfAny(System.IO.Path.GetInvalidFileNameChars()) < 0;
}

/// <summary>The files of a repository.</summary>
/// <param name="Commit">40 hex digits.</param>
/// <param name="Files">In the hub's order.</param>
internal sealed record HubListing(string Commit, IReadOnlyList<HubFile> Files);
