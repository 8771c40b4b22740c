using System.Net;
using System.Net.Sockets;

namespace Inference.Cli.Tests;

/// <summary>Servers that refuse, limit, fail or lie: retries with back-off, or one clear line, and never a file.</summary>
public sealed class PullFailureTests : PullFixture
{
    [Theory]
    [InlineData(401, null, "there is none of that name; set HF_TOKEN")]
    [InlineData(401, "GatedRepo", "the repository is gated (401): ask for access at http://127.0.0.1")]
    [InlineData(403, null, "access is refused (403); set HF_TOKEN")]
    [InlineData(403, "GatedRepo", "the repository is gated (403)")]
    [InlineData(404, "RepoNotFound", "org/model: not found")]
    [InlineData(404, "RevisionNotFound", "org/model: no revision 'main' (404)")]
    [InlineData(410, null, "410 Gone")]
    public async Task A_refusal_of_the_list_is_one_line_and_no_retry(int status, string? code, string message)
    {
        Hub.OnHub = _ => code is null ? new HubReply(status, []) : new HubReply(status, []).With("X-Error-Code", code);
        Assert.Contains("org/model", await FailsAsync(message));
        Assert.Single(Hub.Server.Requests);
    }

    [Theory]
    [InlineData(401, "GatedRepo", "org/model: model.gguf: the repository is gated (401)")]
    [InlineData(404, "EntryNotFound", "org/model: no file 'model.gguf'")]
    public async Task A_refusal_of_the_file_is_one_line_and_no_retry(int status, string code, string message)
    {
        Hub.Add("model.gguf", 1000);
        Hub.OnHub = request => request.Path.Contains("/resolve/") ? new HubReply(status, []).With("X-Error-Code", code) : null;
        await FailsAsync(message);
        Assert.Equal(2, Hub.Server.Requests.Length);
    }

    [Fact]
    public async Task A_token_that_is_not_accepted_is_named()
    {
        Hub.OnHub = _ => new HubReply(401, []);
        string error = await FailsAsync("HF_TOKEN must be", settings: Settings with { Token = "hf_secret" });
        Assert.DoesNotContain("hf_secret", error);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(429)]
    [InlineData(408)]
    public async Task Failures_that_pass_are_waited_out_longer_each_time(int status)
    {
        byte[] content = Hub.Add("model.gguf", 100_000);
        int failures = 4;
        Hub.OnHub = request => request.Path.Contains("/api/") && failures-- > 0 ? new HubReply(status, []) : null;
        await PullsAsync(content);
        Assert.Equal(4, Delays.Count);
        for (int i = 0; i < 4; i++) Assert.InRange(Delays[i].TotalSeconds, 0.25 * (1 << i), 0.5 * (1 << i));
    }

    [Fact]
    public async Task The_storage_may_fail_for_a_while_too()
    {
        byte[] content = Hub.Add("model.gguf", 100_000);
        // 403: the link has expired, and the hub gives a new one.
        Queue<int> statuses = new([500, 403, 503, 404]);
        Hub.OnStorage = _ => statuses.TryDequeue(out int status) ? new HubReply(status, []) : null;
        await PullsAsync(content);
        Assert.Equal(5, Hub.Downloads.Length);
        Assert.Equal(6, Hub.Server.Requests.Length);
    }

    [Fact]
    public async Task Failures_that_do_not_pass_are_given_up()
    {
        Hub.OnHub = _ => new HubReply(503, []).With("X-Error-Message", "down for\tmaintenance");
        await FailsAsync("answers 503 ServiceUnavailable: down formaintenance (6 tries)");
        Assert.Equal(6, Hub.Server.Requests.Length);
    }

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    }

    [Theory]
    [InlineData("17", 17)]
    [InlineData("Fri, 02 Jan 2026 03:05:00 GMT", 55)]
    public async Task A_limit_says_how_long_to_wait(string retryAfter, int seconds)
    {
        byte[] content = Hub.Add("model.gguf", 100_000);
        bool first = true;
        Hub.OnStorage = _ =>
        {
            if (!first) return null;
            first = false;
            return new HubReply(429, []).With("Retry-After", retryAfter);
        };
        await PullsAsync(content, settings: Settings with { Clock = new FixedClock() });
        Assert.Equal([TimeSpan.FromSeconds(seconds)], Delays);
    }

    [Fact]
    public async Task A_limit_of_hours_is_not_waited_for()
    {
        Hub.OnHub = _ => new HubReply(429, []).With("Retry-After", "7200");
        await FailsAsync("it asks to come back in 120 minutes");
        Assert.Empty(Delays);
    }

    [Fact]
    public async Task A_wrong_hash_leaves_nothing()
    {
        byte[] content = Hub.Add("model.gguf", 100_000), other = FakeHub.RandomBytes(100_000, 1);
        Hub.OnStorage = request => FakeHub.Content(request, other);
        await FailsAsync($"its SHA-256 is {FakeHub.Sha256(other)}, the hub says {FakeHub.Sha256(content)}");
        Assert.Single(Hub.Downloads);
        Assert.Empty(Incomplete());
    }

    [Fact]
    public async Task A_wrong_hash_in_pieces_is_tried_once_more_and_no_more()
    {
        byte[] other = FakeHub.RandomBytes(100_000, 1);
        Hub.Add("model.gguf", 100_000);
        Hub.OnStorage = request => FakeHub.Content(request, other, dropAfter: 60_000);
        await FailsAsync("SHA-256");
        Assert.Equal([0, 60_000, 0, 60_000], Hub.Downloads.Select(r => r.From));
        Assert.Empty(Incomplete());
    }

    [Fact]
    public async Task A_small_file_is_checked_by_its_git_id()
    {
        Hub.Add("config.json", 1000, large: false);
        Hub.OnHub = request => request.Path.Contains("/resolve-cache/") ? FakeHub.Content(request, FakeHub.RandomBytes(1000, 1)) : null;
        await FailsAsync("its git object id is", "org/model:config.json");
    }

    [Fact]
    public async Task Another_hash_in_the_redirect_is_known_before_the_download()
    {
        byte[] content = Hub.Add("model.gguf", 100_000);
        string wrong = new('b', 64);
        Hub.OnHub = request => request.Path.Contains("/resolve/") ? new HubReply(302, []).With("Location", $"{Hub.Storage.Address}storage/model.gguf").With("X-Linked-ETag", $"\"{wrong}\"") : null;
        await FailsAsync($"the hub's list says SHA-256 {FakeHub.Sha256(content)}, its file server {wrong}");
    }

    [Theory]
    [InlineData(50_000)]
    [InlineData(150_000)]
    public async Task A_wrong_length_is_one_line(int length)
    {
        Hub.Add("model.gguf", 100_000);
        Hub.OnStorage = request => FakeHub.Content(request, FakeHub.RandomBytes(length, 1));
        await FailsAsync($"has 100,000 bytes by the hub's list, and {length:N0} by its file server");
        Assert.Empty(Incomplete());
    }

    [Fact]
    public async Task A_wrong_length_does_not_hurt_what_is_there()
    {
        byte[] content = Hub.Add("model.gguf", 100_000);
        LeaveIncomplete(content, content.AsSpan(0, 60_000));
        Hub.OnStorage = _ => new HubReply(200, "<html>Please log in to the hotel's network"u8.ToArray());
        await FailsAsync("by its file server");
        Assert.Equal(60_000, new FileInfo(Incomplete().Single()).Length);
    }

    [Fact]
    public async Task More_than_announced_is_one_line()
    {
        byte[] content = Hub.Add("model.gguf", 100_000);
        Hub.OnStorage = request => FakeHub.Content(request, [.. content, 1, 2, 3]) with { ContentLength = null };
        await FailsAsync("sends more than the 100,000 bytes");
    }

    [Fact]
    public async Task A_page_instead_of_a_list_is_one_line()
    {
        Hub.OnHub = _ => new HubReply(200, "<html>Welcome"u8.ToArray());
        await FailsAsync("is HF_ENDPOINT a Hugging Face hub?");
    }

    [Fact]
    public async Task A_list_that_breaks_off_is_asked_for_again()
    {
        byte[] content = Hub.Add("model.gguf", 1000);
        int tries = 0;
        Hub.OnHub = request => request.Path.Contains("/api/") && tries++ < 3 ? FakeHub.Json(Hub.Listing()) with { DropAfter = 20 } : null;
        await PullsAsync(content);
    }

    [Theory]
    [InlineData("[]", "names no commit")]
    [InlineData("{}", "names no commit")]
    [InlineData("""{"sha":"../../../../etc"}""", "names no commit")]
    [InlineData("""{"sha":"0123456789abcdef0123456789abcdef01234567"}""", "no list 'siblings'")]
    [InlineData("""{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[]}""", "holds no model")]
    [InlineData("""{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"../../a.gguf","size":1,"blobId":"0123456789abcdef0123456789abcdef01234567"}]}""", "holds no model")]
    [InlineData("""{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"/a.gguf","size":1,"blobId":"0123456789abcdef0123456789abcdef01234567"}]}""", "holds no model")]
    [InlineData("""{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"b\\a.gguf","size":1,"blobId":"0123456789abcdef0123456789abcdef01234567"}]}""", "holds no model")]
    public async Task A_list_that_is_none_or_leads_out_of_the_cache_is_refused(string json, string message)
    {
        Hub.OnHub = _ => FakeHub.Json(json);
        await FailsAsync(message);
        Assert.False(Directory.Exists(Cache));
    }

    [Fact]
    public async Task Nobody_there_is_one_line()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = new Uri($"http://{listener.LocalEndpoint}");
        listener.Stop();
        await FailsAsync($"org/model: {address.Authority}: Connection refused (6 tries)", settings: Settings with { Endpoint = address });
        Assert.Equal(5, Delays.Count);
    }
}
