namespace Inference.Cli.Tests;

/// <summary>The cache folder: the layout that the hub's own programs use, and what is in it already.</summary>
public sealed class PullCacheTests : PullFixture
{
    private const string OtherCommit = "fedcba9876543210fedcba9876543210fedcba98";

    [Fact]
    public async Task A_file_is_a_relative_link_to_a_blob_named_after_its_hash()
    {
        byte[] content = Hub.Add("model-Q4_K_M.gguf", 300_000);
        string path = await PullsAsync(content);
        Assert.Equal(Path.Combine(Snapshot, "model-Q4_K_M.gguf"), path);
        Assert.Equal($"../../blobs/{FakeHub.Sha256(content)}", new FileInfo(path).LinkTarget);
        Assert.Equal(content, File.ReadAllBytes(Path.Combine(RepositoryFolder, "blobs", FakeHub.Sha256(content))));
        Assert.Equal(FakeHub.Commit, File.ReadAllText(Path.Combine(RepositoryFolder, "refs", "main")));
    }

    [Fact]
    public async Task A_file_in_a_folder_links_one_step_further_up()
    {
        byte[] content = Hub.Add("Q8_0/a model.gguf", 1000);
        string path = await PullsAsync(content);
        Assert.Equal(Path.Combine(Snapshot, "Q8_0", "a model.gguf"), path);
        Assert.Equal($"../../../blobs/{FakeHub.Sha256(content)}", new FileInfo(path).LinkTarget);
    }

    // The two ids are what `git hash-object` prints.
    [Theory]
    [InlineData("hello", "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0")]
    [InlineData("", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")]
    public async Task A_small_file_is_named_after_its_git_id(string text, string id)
    {
        byte[] content = Hub.Add("config.json", System.Text.Encoding.ASCII.GetBytes(text), large: false);
        string path = await PullsAsync(content, "org/model:config.json");
        Assert.Equal($"../../blobs/{id}", new FileInfo(path).LinkTarget);
    }

    [Fact]
    public async Task A_second_pull_downloads_nothing()
    {
        byte[] content = Hub.Add("model.gguf", 100_000);
        string path = await PullsAsync(content);
        Assert.Single(Hub.Downloads);
        Assert.Equal(path, await PullsAsync(content));
        Assert.Single(Hub.Downloads);
        // The list alone was asked for again.
        Assert.Equal(3, Hub.Server.Requests.Length);
    }

    [Fact]
    public async Task Another_commit_with_the_same_content_downloads_nothing()
    {
        byte[] content = Hub.Add("model.gguf", 100_000);
        string first = await PullsAsync(content);
        Hub.CommitNow = OtherCommit;
        string second = await PullsAsync(content);
        Assert.Single(Hub.Downloads);
        Assert.NotEqual(first, second);
        Assert.Equal(new FileInfo(first).LinkTarget, new FileInfo(second).LinkTarget);
        Assert.Equal(OtherCommit, File.ReadAllText(Path.Combine(RepositoryFolder, "refs", "main")));
    }

    [Fact]
    public async Task A_revision_has_a_ref_and_a_commit_has_none()
    {
        Hub.Add("model.gguf", 1000);
        Assert.Equal(ExitCode.Done, (await PullAsync(revision: "refs/pr/7")).Code);
        Assert.Contains(Hub.Server.Requests, r => r.Target == "/api/models/org/model/revision/refs%2Fpr%2F7?blobs=true");
        Assert.Equal(FakeHub.Commit, File.ReadAllText(Path.Combine(RepositoryFolder, "refs", "refs", "pr", "7")));
        Assert.Equal(ExitCode.Done, (await PullAsync(revision: FakeHub.Commit)).Code);
        Assert.Single(Directory.GetFiles(Path.Combine(RepositoryFolder, "refs"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_truncated_blob_of_another_program_is_replaced()
    {
        byte[] content = Hub.Add("model.gguf", 100_000);
        string path = await PullsAsync(content);
        File.WriteAllBytes(Path.Combine(RepositoryFolder, "blobs", FakeHub.Sha256(content)), content[..5000]);
        Assert.Equal(path, await PullsAsync(content));
        Assert.Equal(2, Hub.Downloads.Length);
    }

    [Fact]
    public async Task A_link_that_leads_nowhere_is_replaced()
    {
        byte[] content = Hub.Add("model.gguf", 100_000);
        string path = await PullsAsync(content);
        File.Delete(Path.Combine(RepositoryFolder, "blobs", FakeHub.Sha256(content)));
        Assert.Equal(path, await PullsAsync(content));
    }

    [Fact]
    public async Task Without_links_a_new_file_is_moved_and_one_that_others_may_use_is_copied()
    {
        HubSettings settings = Settings with { SymbolicLinks = false };
        byte[] content = Hub.Add("model.gguf", 100_000);
        string path = await PullsAsync(content, settings: settings);
        Assert.Null(new FileInfo(path).LinkTarget);
        Assert.Empty(Directory.GetFiles(Path.Combine(RepositoryFolder, "blobs")));
        await PullsAsync(content, settings: settings);
        Assert.Single(Hub.Downloads);

        string blob = Path.Combine(RepositoryFolder, "blobs", FakeHub.Sha256(content));
        File.Copy(path, blob);
        Hub.CommitNow = OtherCommit;
        string second = await PullsAsync(content, settings: settings);
        Assert.Null(new FileInfo(second).LinkTarget);
        Assert.True(File.Exists(blob));
        Assert.Single(Hub.Downloads);
    }

    [Fact]
    public async Task A_cache_that_cannot_be_made_is_one_line()
    {
        Hub.Add("model.gguf", 1000);
        File.WriteAllText(Path.Combine(Temporary, "file"), "in the way");
        await FailsAsync(Path.Combine(Temporary, "file"), settings: Settings with { CacheFolder = Path.Combine(Temporary, "file", "hub") });
        Assert.Empty(Hub.Downloads);
    }

    [Fact]
    public async Task What_cannot_fit_the_disk_is_not_begun()
    {
        string listing = Hub.Listing().Replace("[]", $$"""[{"rfilename":"a.gguf","size":{{1L << 43}},"lfs":{"sha256":"{{new string('a', 64)}}","size":{{1L << 43}} } }]""");
        Hub.OnHub = request => request.Path.Contains("/api/") ? FakeHub.Json(listing) : null;
        await FailsAsync("the disk has room for");
        Assert.Single(Hub.Server.Requests);
    }
}
