using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Inference.Cli;

/// <summary>The three addresses of the hub that a pull needs: a revision's files, the same as a tree, and a file's content.</summary>
internal sealed partial class HubClient(HubSettings settings, HubHttp http)
{
    /// <summary>A list of 100,000 files has 30 MB; whoever sends more means harm.</summary>
    private const int MaxListBytes = 64 << 20;

    private const int MaxPages = 1000;

    /// <summary>Commit and files of a revision.</summary>
    /// <exception cref="HubException">No such repository or revision, no access, or an answer that cannot be read.</exception>
    public async Task<HubListing> ListAsync(string repository, string revision, Action<string>? report, CancellationToken cancellation)
    {
        var subject = new HubSubject(repository, revision);
        (JsonDocument answer, _) = await ReadJsonAsync(Address($"/api/models/{repository}/revision/{Uri.EscapeDataString(revision)}?blobs=true"), subject, report, cancellation).ConfigureAwait(false);
        using (answer)
        {
            (string commit, List<HubFile>? files) = HubListingReader.ReadRevision(repository, answer.RootElement);
            return new HubListing(commit, files ?? await ListTreeAsync(subject with { Revision = commit }, report, cancellation).ConfigureAwait(false));
        }
    }

    private async Task<List<HubFile>> ListTreeAsync(HubSubject subject, Action<string>? report, CancellationToken cancellation)
    {
        List<HubFile> files = [];
        Uri? page = Address($"/api/models/{subject.Repository}/tree/{subject.Revision}?recursive=true");
        for (int pages = 0; page is not null; pages++)
        {
            if (pages == MaxPages) throw new HubException($"{subject}: the list of files does not end");
            (JsonDocument answer, page) = await ReadJsonAsync(page, subject, report, cancellation).ConfigureAwait(false);
            using (answer) HubListingReader.ReadTree(subject.Repository, answer.RootElement, files);
        }
        return files;
    }

    /// <summary>The content from an offset on; one try.</summary>
    /// <inheritdoc cref="HubHttp.GetAsync"/>
    public Task<HubResponse> OpenAsync(string repository, string commit, HubFile file, long offset, EntityTagHeaderValue? tag, CancellationToken cancellation)
    {
        string path = string.Join('/', file.Path.Split('/').Select(Uri.EscapeDataString));
        RangeHeaderValue? range = offset == 0 ? null : new RangeHeaderValue(offset, null);
        return http.GetAsync(Address($"/{repository}/resolve/{commit}/{path}"), new HubSubject(repository, commit, file.Path), range, range is null ? null : tag, cancellation);
    }

    private Task<(JsonDocument Answer, Uri? Next)> ReadJsonAsync(Uri url, HubSubject subject, Action<string>? report, CancellationToken cancellation) =>
        Retries.RunAsync(settings, report, async () =>
        {
            using HubResponse response = await http.GetAsync(url, subject, null, null, cancellation).ConfigureAwait(false);
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            timeout.CancelAfter(settings.StallTimeout);
            try
            {
                await response.Message.Content.LoadIntoBufferAsync(MaxListBytes, timeout.Token).ConfigureAwait(false);
                Stream body = await response.Message.Content.ReadAsStreamAsync(timeout.Token).ConfigureAwait(false);
                JsonDocument answer = await JsonDocument.ParseAsync(body, default, timeout.Token).ConfigureAwait(false);
                return (answer, NextPage(url, response.Message));
            }
            catch (JsonException e)
            {
                throw new HubException($"{subject}: {url.Authority} answers something that is not JSON; is HF_ENDPOINT a Hugging Face hub?", e);
            }
            catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                throw new TransientHubException($"{subject}: the list of files from {url.Authority} breaks off", e);
            }
        }, cancellation);

    /// <summary>Long lists come in pages: <c>Link: &lt;address&gt;; rel="next"</c>. Only the hub itself is believed.</summary>
    private Uri? NextPage(Uri page, HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("Link", out IEnumerable<string>? links)) return null;
        Match next = NextLink().Match(string.Join(", ", links));
        return next.Success && Uri.TryCreate(page, next.Groups[1].Value, out Uri? address) && HubHttp.IsSameOrigin(address, settings.Endpoint) ? address : null;
    }

    private Uri Address(string rest) => new(settings.Endpoint.AbsoluteUri.TrimEnd('/') + rest);

    [GeneratedRegex(@"<([^<>]+)>\s*;[^,<]*\brel=""?next\b")]
    private static partial Regex NextLink();
}
