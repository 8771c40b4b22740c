namespace Inference.Cli.Tests;

/// <summary>Redirects, and who sees the token.</summary>
public sealed class PullRedirectTests : PullFixture
{
    private const string Token = "Bearer hf_abcDEF";

    private HubSettings WithToken => Settings with { Token = "hf_abcDEF" };

    [Fact]
    public async Task The_token_goes_to_the_hub_and_to_nobody_else()
    {
        byte[] content = Hub.Add("model.gguf", 100_000);
        int tries = 0;
        Hub.OnStorage = request => FakeHub.Content(request, content, dropAfter: tries++ < 3 ? 10_000 : null);
        await PullsAsync(content, settings: WithToken);
        Assert.All(Hub.Server.Requests, r => Assert.Equal(Token, r.Headers["Authorization"]));
        Assert.Equal(4, Hub.Downloads.Length);
        Assert.All(Hub.Downloads, r => Assert.DoesNotContain("Authorization", r.Headers.Keys));
    }

    [Fact]
    public async Task A_redirect_inside_the_hub_keeps_the_token()
    {
        byte[] content = Hub.Add("config.json", 1000, large: false);
        await PullsAsync(content, "org/model:config.json", WithToken);
        Assert.Equal(3, Hub.Server.Requests.Length);
        Assert.All(Hub.Server.Requests, r => Assert.Equal(Token, r.Headers["Authorization"]));
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_renamed_repository_is_found(int status)
    {
        byte[] content = Hub.Add("model.gguf", 1000);
        Hub.OnHub = request => !request.Path.Contains("/old/name") ? null
            : new HubReply(status, []).With("Location", status < 305 ? request.Target.Replace("/old/name", "/org/model") : new Uri(Hub.Server.Address, request.Target.Replace("/old/name", "/org/model")).AbsoluteUri);
        CliRun run = await PullAsync("old/name", WithToken);
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        Assert.Equal(content, File.ReadAllBytes(run.Output.TrimEnd('\n')));
        Assert.Contains("models--old--name", run.Output);
    }

    [Fact]
    public async Task A_way_back_from_another_host_does_not_bring_the_token_back()
    {
        byte[] content = Hub.Add("model.gguf", 1000);
        Hub.OnStorage = _ => new HubReply(302, []).With("Location", new Uri(Hub.Server.Address, "/collect").AbsoluteUri);
        Hub.OnHub = request => request.Path == "/collect" ? FakeHub.Content(request, content) : null;
        await PullsAsync(content, settings: WithToken);
        Assert.DoesNotContain("Authorization", Hub.Server.Requests.Single(r => r.Path == "/collect").Headers.Keys);
    }

    [Theory]
    [InlineData("https://hub.example/a", "https://hub.example/b", true)]
    [InlineData("https://hub.example/a", "https://HUB.example:443/b", true)]
    [InlineData("https://hub.example/a", "https://hub.example:444/a", false)]
    [InlineData("https://hub.example/a", "http://hub.example/a", false)]
    [InlineData("https://hub.example/a", "https://hub.example.evil/a", false)]
    [InlineData("https://hub.example/a", "https://cdn.hub.example/a", false)]
    public void An_origin_is_scheme_host_and_port(string a, string b, bool same) => Assert.Equal(same, HubHttp.IsSameOrigin(new Uri(a), new Uri(b)));

    [Theory]
    [InlineData("/{0}", "more than 10 redirects")]
    [InlineData("file:///etc/passwd", "which is not followed")]
    [InlineData("ftp://127.0.0.1/x", "which is not followed")]
    [InlineData(null, "redirects to nowhere")]
    public async Task Redirects_that_lead_nowhere_are_one_line(string? location, string message)
    {
        int count = 0;
        Hub.OnHub = _ => location is null ? new HubReply(302, []) : new HubReply(302, []).With("Location", string.Format(location, count++));
        await FailsAsync(message);
        Assert.InRange(Hub.Server.Requests.Length, 1, 11);
    }

    [Fact]
    public async Task An_endpoint_may_have_a_path()
    {
        byte[] content = Hub.Add("model.gguf", 1000);
        await using var mirror = new HubServer(request => request.Target.StartsWith("/mirror/hf/", StringComparison.Ordinal)
            ? new HubReply(307, []).With("Location", new Uri(Hub.Server.Address, request.Target["/mirror/hf".Length..]).AbsoluteUri) : new HubReply(404, []));
        await PullsAsync(content, settings: Settings with { Endpoint = new Uri(mirror.Address, "/mirror/hf") });
    }
}
