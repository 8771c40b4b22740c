using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Inference.Cli.Tests;

/// <summary>
/// A hub with one repository, as the real one answers: a list of files, redirects with the content's hash, and a storage on another port that
/// knows ranges. A test may answer any request itself.
/// </summary>
internal sealed class FakeHub : IAsyncDisposable
{
    public const string Repository = "org/model", Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly Dictionary<string, (byte[] Content, bool Large)> files = [];

    public FakeHub()
    {
        Storage = new HubServer(request => OnStorage?.Invoke(request) ?? Content(request, FileAt(request.Path["/storage/".Length..])));
        Server = new HubServer(request => OnHub?.Invoke(request) ?? AnswerAsHub(request));
    }

    public HubServer Server { get; }

    public HubServer Storage { get; }

    /// <summary>Answers instead of the hub or the storage; null: as usual.</summary>
    public Func<HubRequest, HubReply?>? OnHub { get; set; }

    public Func<HubRequest, HubReply?>? OnStorage { get; set; }

    public string CommitNow { get; set; } = Commit;

    /// <summary>Requests for contents, at the storage.</summary>
    public HubRequest[] Downloads => Storage.Requests;

    public byte[] Add(string path, byte[] content, bool large = true)
    {
        files[path] = (content, large);
        return content;
    }

    public byte[] Add(string path, int size, bool large = true) => Add(path, RandomBytes(size, path.Length), large);

    public static byte[] RandomBytes(int size, int seed)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static string Sha256(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    public static string GitId(byte[] content) => Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]));

    public byte[] FileAt(string path) => files[Uri.UnescapeDataString(path)].Content;

    private HubReply AnswerAsHub(HubRequest request)
    {
        if (request.Path.StartsWith($"/api/models/{Repository}/revision/", StringComparison.Ordinal)) return Json(Listing());
        string resolve = $"/{Repository}/resolve/{CommitNow}/", small = "/api/resolve-cache/";
        if (request.Path.StartsWith(small, StringComparison.Ordinal)) return Content(request, FileAt(request.Path[small.Length..]));
        if (!request.Path.StartsWith(resolve, StringComparison.Ordinal)) return new HubReply(404, []).With("X-Error-Code", "RepoNotFound");
        string path = request.Path[resolve.Length..];
        (byte[] content, bool large) = files[Uri.UnescapeDataString(path)];
        if (!large) return new HubReply(307, "moved"u8.ToArray()).With("Location", small + path).With("X-Linked-Size", $"{content.Length}").With("X-Linked-ETag", $"\"{GitId(content)}\"");
        return new HubReply(302, "elsewhere"u8.ToArray()).With("Location", $"{Storage.Address}storage/{path}").With("X-Linked-Size", $"{content.Length}").With("X-Linked-ETag", $"\"{Sha256(content)}\"");
    }

    public string Listing() => JsonSerializer.Serialize(new
    {
        sha = CommitNow,
        siblings = files.Select(f => f.Value.Large
            ? (object)new { rfilename = f.Key, size = f.Value.Content.Length, blobId = new string('9', 40), lfs = new { sha256 = Sha256(f.Value.Content), size = f.Value.Content.Length, pointerSize = 134 } }
            : new { rfilename = f.Key, size = f.Value.Content.Length, blobId = GitId(f.Value.Content) }),
    });

    public static HubReply Json(string text) => new HubReply(200, Encoding.UTF8.GetBytes(text)).With("Content-Type", "application/json");

    /// <summary>A content as a good server sends it: ranges, and <c>If-Range</c> honoured.</summary>
    public static HubReply Content(HubRequest request, byte[] content, string tag = "\"one\"", int? dropAfter = null, bool reset = false)
    {
        bool changed = request.Headers.TryGetValue("If-Range", out string? wanted) && wanted != tag;
        int from = changed ? 0 : request.From;
        if (from >= content.Length && from > 0) return new HubReply(416, []).With("Content-Range", $"bytes */{content.Length}");
        HubReply reply = new(from == 0 ? 200 : 206, content[from..]) { DropAfter = dropAfter, Reset = reset };
        if (from > 0) reply.With("Content-Range", $"bytes {from}-{content.Length - 1}/{content.Length}");
        return reply.With("ETag", tag);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Storage.DisposeAsync();
    }
}
