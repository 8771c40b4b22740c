namespace Inference.Cli.Tests;

/// <summary>The command line and the environment.</summary>
public class PullUsageTests
{
    [Theory]
    [InlineData("'REPO[:FILE|:QUANT]'", "pull")]
    [InlineData("REPO must be organisation/name", "pull", "a b/c")]
    [InlineData("REPO must be organisation/name", "pull", "a/b/c")]
    [InlineData("REPO must be organisation/name", "pull", "../b")]
    [InlineData("REPO must be organisation/name", "pull", "a/..")]
    [InlineData("REPO must be organisation/name", "pull", "a--b/c")]
    [InlineData("REPO must be organisation/name", "pull", "")]
    [InlineData("names no file", "pull", "a/b:")]
    [InlineData("--revision must be", "pull", "a/b", "--revision", "../x")]
    [InlineData("--revision must be", "pull", "a/b", "--revision", "a b")]
    [InlineData("--revision must be", "pull", "a/b", "--revision", "")]
    [InlineData("unknown option '--force'", "pull", "a/b", "--force")]
    public Task Wrong_usage_is_one_line_and_code_2(string message, params string[] args) => CliRun.Fails(ExitCode.Usage, message, args);

    [Theory]
    [InlineData("org/model", "org/model", null)]
    [InlineData("gpt2", "gpt2", null)]
    [InlineData("org/My.Model-7B_x:Q4_K_M", "org/My.Model-7B_x", "Q4_K_M")]
    [InlineData("org/model:dir/file.gguf", "org/model", "dir/file.gguf")]
    [InlineData("hf.co/org/model:Q8_0", "org/model", "Q8_0")]
    [InlineData("https://huggingface.co/org/model", "org/model", null)]
    public void A_request_has_a_repository_and_perhaps_a_name(string text, string repository, string? wanted) =>
        Assert.Equal(new PullRequest(repository, wanted, "main"), PullRequest.Parse(text, null));

    private static HubSettings Read(params (string Name, string Value)[] variables) =>
        HubSettings.Read(name => variables.FirstOrDefault(v => v.Name == name).Value);

    private static readonly string Home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    [Fact]
    public void Without_variables_the_hub_and_its_usual_cache_are_used()
    {
        HubSettings settings = Read();
        Assert.Equal(new Uri("https://huggingface.co"), settings.Endpoint);
        Assert.Equal(Path.Combine(Home, ".cache", "huggingface", "hub"), settings.CacheFolder);
        Assert.Null(settings.Token);
    }

    [Fact]
    public void The_nearest_variable_names_the_cache()
    {
        string root = Path.GetFullPath("/r");
        Assert.Equal(Path.Combine(root, "x", "huggingface", "hub"), Read(("XDG_CACHE_HOME", Path.Combine(root, "x"))).CacheFolder);
        Assert.Equal(Path.Combine(root, "h", "hub"), Read(("XDG_CACHE_HOME", "/x"), ("HF_HOME", Path.Combine(root, "h"))).CacheFolder);
        Assert.Equal(Path.Combine(root, "c"), Read(("HF_HOME", "/h"), ("HF_HUB_CACHE", Path.Combine(root, "c"))).CacheFolder);
        Assert.Equal(Path.Combine(Home, "models"), Read(("HF_HUB_CACHE", "~/models")).CacheFolder);
    }

    [Theory]
    [InlineData("HF_ENDPOINT", "huggingface.co")]
    [InlineData("HF_ENDPOINT", "ftp://huggingface.co")]
    [InlineData("HF_ENDPOINT", "https://huggingface.co/?a=b")]
    [InlineData("HF_TOKEN", "hf_a\nX-Evil: 1")]
    [InlineData("HF_TOKEN", "hf_ä")]
    public void A_variable_that_cannot_be_used_is_named(string name, string value) =>
        Assert.Contains(name, Assert.Throws<UsageException>(() => Read((name, value))).Message);

    [Fact]
    public void Blanks_around_a_token_do_not_count() => Assert.Equal("hf_x", Read(("HF_TOKEN", " hf_x\n")).Token);
}
