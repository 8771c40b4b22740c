namespace Inference.Cli.Tests;

/// <summary>Connections that break, servers that change their mind, and what earlier runs have left.</summary>
public sealed class PullResumeTests : PullFixture
{
    private const int Size = 3_000_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Drops_at_random_offsets_are_resumed(int seed)
    {
        var random = new Random(seed);
        byte[] content = Hub.Add("model.gguf", Size);
        // Many more drops than tries in a row are allowed.
        int drops = 25;
        Hub.OnStorage = request => drops-- > 0 ? FakeHub.Content(request, content, dropAfter: random.Next(200_000), reset: random.Next(3) == 0) : null;
        await PullsAsync(content);
        int[] starts = [.. Hub.Downloads.Select(r => r.From)];
        Assert.True(starts.Length > 20);
        Assert.Equal(starts.Order(), starts);
        // Every try asks the hub anew, since its links expire.
        Assert.Equal(starts.Length + 1, Hub.Server.Requests.Length);
        Assert.All(Hub.Downloads.Where(r => r.From > 0 && r != Hub.Downloads[0]), r => Assert.Equal("\"one\"", r.Headers.GetValueOrDefault("If-Range", "\"one\"")));
    }

    [Fact]
    public async Task What_an_earlier_run_has_left_is_not_downloaded_again()
    {
        byte[] content = Hub.Add("model.gguf", Size);
        LeaveIncomplete(content, content.AsSpan(0, 1_234_567));
        await PullsAsync(content);
        Assert.Equal([1_234_567], Hub.Downloads.Select(r => r.From));
    }

    [Fact]
    public async Task All_but_the_name_costs_no_download()
    {
        byte[] content = Hub.Add("model.gguf", Size);
        LeaveIncomplete(content, content);
        await PullsAsync(content);
        Assert.Empty(Hub.Downloads);
    }

    [Theory]
    [InlineData(Size / 2)]
    [InlineData(Size)]
    [InlineData(Size + 1)]
    public async Task Rubbish_from_an_earlier_run_is_found_out_and_replaced(int length)
    {
        byte[] content = Hub.Add("model.gguf", Size);
        LeaveIncomplete(content, FakeHub.RandomBytes(length, 99));
        await PullsAsync(content);
        Assert.Equal(0, Hub.Downloads[^1].From);
    }

    [Fact]
    public async Task A_server_that_ignores_ranges_starts_anew()
    {
        byte[] content = Hub.Add("model.gguf", Size);
        int tries = 0;
        Hub.OnStorage = _ => new HubReply(200, content) { DropAfter = tries++ == 0 ? 1_000_000 : null };
        await PullsAsync(content);
        Assert.Equal(2, tries);
        Assert.NotEqual(0, Hub.Downloads[1].From);
    }

    [Fact]
    public async Task A_server_that_always_starts_anew_and_drops_is_given_up()
    {
        byte[] content = Hub.Add("model.gguf", Size);
        Hub.OnStorage = _ => new HubReply(200, content) { DropAfter = 1_000_000 };
        await FailsAsync("model.gguf");
        Assert.InRange(Hub.Downloads.Length, Retries.MaxTries, 2 * Retries.MaxTries);
        Assert.Single(Incomplete());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Content_that_changes_under_way_is_started_anew(bool honest)
    {
        byte[] content = Hub.Add("model.gguf", Size), old = FakeHub.RandomBytes(Size, 5);
        int tries = 0;
        Hub.OnStorage = request =>
        {
            if (tries++ == 0) return FakeHub.Content(request, old, "\"old\"", dropAfter: 1_000_000);
            if (!honest) request = request with { Headers = request.Headers.Where(h => h.Key != "If-Range").ToDictionary() };
            return FakeHub.Content(request, content, "\"new\"");
        };
        await PullsAsync(content);
        // An honest server sends everything at once; the other one's range is refused and asked for from 0.
        Assert.Equal(honest ? 2 : 3, tries);
        Assert.Equal("\"old\"", Hub.Downloads[1].Headers["If-Range"]);
    }

    [Fact]
    public async Task Content_that_changes_under_the_same_tag_is_found_out_by_its_hash()
    {
        byte[] content = Hub.Add("model.gguf", Size), old = FakeHub.RandomBytes(Size, 5);
        int tries = 0;
        Hub.OnStorage = request => tries++ == 0 ? FakeHub.Content(request, old, dropAfter: 1_000_000) : null;
        await PullsAsync(content);
        Assert.Equal(0, Hub.Downloads[^1].From);
    }

    [Fact]
    public async Task A_weak_tag_is_no_condition()
    {
        byte[] content = Hub.Add("model.gguf", Size);
        int tries = 0;
        Hub.OnStorage = request => FakeHub.Content(request, content, "W/\"one\"", dropAfter: tries++ == 0 ? 1_000_000 : null);
        await PullsAsync(content);
        Assert.DoesNotContain("If-Range", Hub.Downloads[1].Headers.Keys);
        Assert.NotEqual(0, Hub.Downloads[1].From);
    }

    [Fact]
    public async Task A_part_that_was_not_asked_for_is_not_taken()
    {
        byte[] content = Hub.Add("model.gguf", Size);
        LeaveIncomplete(content, content.AsSpan(0, 1_000_000));
        int tries = 0;
        Hub.OnStorage = request => tries++ == 0 ? new HubReply(206, content[2_000_000..]).With("Content-Range", $"bytes 2000000-{Size - 1}/{Size}") : null;
        await PullsAsync(content);
        Assert.Equal([1_000_000, 0], Hub.Downloads.Select(r => r.From));
    }

    [Fact]
    public async Task A_connection_that_falls_silent_counts_as_dropped()
    {
        byte[] content = Hub.Add("model.gguf", Size);
        var end = new TaskCompletionSource();
        int tries = 0;
        Hub.OnStorage = request => tries++ == 0 ? FakeHub.Content(request, content) with { DropAfter = 1_000_000, Stall = end.Task } : null;
        await PullsAsync(content, settings: Settings with { StallTimeout = TimeSpan.FromMilliseconds(300) });
        end.SetResult();
        Assert.Equal(1_000_000, Hub.Downloads[1].From);
    }

    [Fact]
    public async Task A_hub_that_does_not_answer_is_one_line()
    {
        var end = new TaskCompletionSource();
        await using var silent = new HubServer(_ =>
        {
            end.Task.Wait();
            return new HubReply(200, []);
        });
        await FailsAsync("no answer from 127.0.0.1", settings: Settings with { Endpoint = silent.Address, AnswerTimeout = TimeSpan.FromMilliseconds(50) });
        end.SetResult();
        Assert.Equal(Retries.MaxTries - 1, Delays.Count);
    }

    [Fact]
    public async Task A_body_that_ends_with_its_connection_may_be_cut_too()
    {
        byte[] content = Hub.Add("model.gguf", Size);
        int tries = 0;
        Hub.OnStorage = request => FakeHub.Content(request, content) with { ContentLength = null, DropAfter = tries++ == 0 ? 1_000_000 : null };
        await PullsAsync(content);
        Assert.Equal(1_000_000, Hub.Downloads[1].From);
    }

    [Fact]
    public async Task Ctrl_C_keeps_the_part_and_the_next_pull_goes_on()
    {
        byte[] content = Hub.Add("model.gguf", Size);
        using var cancellation = new CancellationTokenSource();
        var end = new TaskCompletionSource();
        Hub.OnStorage = request => FakeHub.Content(request, content) with { DropAfter = 1_000_000, Stall = end.Task };
        Task<CliRun> pulling = PullAsync(cancellation: cancellation.Token);
        string incomplete = Path.Combine(RepositoryFolder, "blobs", FakeHub.Sha256(content) + ".incomplete");
        while (!File.Exists(incomplete) || new FileInfo(incomplete).Length < 1_000_000) await Task.Delay(20);
        await cancellation.CancelAsync();
        CliRun run = await pulling;
        end.SetResult();
        Assert.Equal((ExitCode.Cancelled, "", ""), (run.Code, run.Output, run.Error));
        Assert.Equal(1_000_000, new FileInfo(incomplete).Length);
        Assert.Empty(Named());
        Hub.OnStorage = null;
        await PullsAsync(content);
        Assert.Equal([0, 1_000_000], Hub.Downloads.Select(r => r.From));
    }
}
