using System.CommandLine;

namespace Inference.Cli;

/// <summary><c>pull</c>: downloads a model from the Hugging Face hub.</summary>
internal static class PullCommand
{
    private const string Help = "Downloads a model from the Hugging Face hub into the cache that other programs share, and prints its path. Goes on where an earlier pull stopped, and checks size and hash. "
        + "Environment: HF_TOKEN (private and gated repositories), HF_ENDPOINT, HF_HUB_CACHE or HF_HOME.";

    public static Command Create(CliConsole console)
    {
        var repository = new Argument<string>("REPO[:FILE|:QUANT]") { Description = "organisation/name, and which file or quantisation of it. Default: Q4_K_M, else Q8_0, else the only GGUF file; without GGUF files the safetensors model." };
        repository.Validators.Add(CommandLineApp.RefuseOptions);
        Option<string?> revision = CliOption.Single<string?>("--revision", "REV", "Branch, tag or commit. Default main.", "a branch, a tag or a commit", (string text, out string? value) => (value = text).Length > 0);
        Option<bool> quiet = CliOption.Flag("--quiet", "No progress bar and no notes, only the path.");
        var command = new Command("pull", Help) { repository, revision, quiet };
        command.SetAction((parsed, _) =>
        {
            var request = PullRequest.Parse(parsed.GetRequiredValue(repository), parsed.GetValue(revision));
            HubSettings settings = HubSettings.Read(Environment.GetEnvironmentVariable);
            return new PullRun(console, settings, parsed.GetValue(quiet), parsed.GetValue(CommonOptions.Verbose)).RunAsync(request);
        });
        return command;
    }
}
