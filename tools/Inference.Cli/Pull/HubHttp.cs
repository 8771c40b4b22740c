using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;

namespace Inference.Cli;

/// <summary>An answer with status 200, 206 or 416.</summary>
/// <param name="Message">At its body's beginning.</param>
/// <param name="LinkedId">The content's hash as the hub itself names it, where it does.</param>
/// <param name="LinkedSize">The size as the hub itself names it.</param>
internal sealed record HubResponse(HttpResponseMessage Message, string? LinkedId, long? LinkedSize) : IDisposable
{
    public void Dispose() => Message.Dispose();
}

/// <summary>
/// One GET, redirects followed. They are followed here and not by the handler, since the token must stay with the hub, and since the hub says
/// hash and size in the headers of the redirect.
/// </summary>
internal sealed class HubHttp : IDisposable
{
    private const int MaxRedirects = 10;

    private readonly HubSettings settings;
    private readonly HttpClient client;

    public HubHttp(HubSettings settings)
    {
        this.settings = settings;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            // Sizes, ranges and hashes are those of the bytes as stored.
            AutomaticDecompression = DecompressionMethods.None,
            // A proxy cannot reach a hub on this machine.
            UseProxy = !settings.Endpoint.IsLoopback,
            ConnectTimeout = settings.AnswerTimeout,
        };
        client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("inference", typeof(HubHttp).Assembly.GetName().Version?.ToString(3)));
    }

    /// <param name="url">At the endpoint.</param>
    /// <param name="subject">What error messages name: repository, or repository and file.</param>
    /// <param name="range">Bytes wanted; null: all.</param>
    /// <param name="ifRange">The range is wanted only of the content that has this tag, else everything.</param>
    /// <param name="cancellation">Ctrl-C.</param>
    /// <exception cref="TransientHubException">No connection, no answer in time, or a status that may pass.</exception>
    /// <exception cref="HubException">Any other status, or redirects that must not be followed.</exception>
    public async Task<HubResponse> GetAsync(Uri url, HubSubject subject, RangeHeaderValue? range, EntityTagHeaderValue? ifRange, CancellationToken cancellation)
    {
        bool atHub = true;
        string? linkedId = null;
        long? linkedSize = null;
        for (int hop = 0; hop <= MaxRedirects; hop++)
        {
            // Once the token has been dropped it stays away: another host does not choose where it goes.
            atHub = atHub && IsSameOrigin(url, settings.Endpoint);
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Range = range;
            if (ifRange is not null) request.Headers.IfRange = new RangeConditionHeaderValue(ifRange);
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
            if (atHub && settings.Token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", settings.Token);
            HttpResponseMessage response = await SendAsync(request, subject, cancellation).ConfigureAwait(false);
            if (atHub)
            {
                linkedId ??= Header(response, "X-Linked-ETag")?.Trim('"').ToLowerInvariant();
                if (long.TryParse(Header(response, "X-Linked-Size"), out long size)) linkedSize ??= size;
            }
            if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable)
                return new HubResponse(response, linkedId, linkedSize);
            using (response)
            {
                if (!IsRedirect(response.StatusCode)) throw HubStatus.ExceptionFor(response, subject, atHub, settings);
                url = Target(url, response.Headers.Location, subject);
            }
        }
        throw new HubException($"{subject}: more than {MaxRedirects} redirects");
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HubSubject subject, CancellationToken cancellation)
    {
        string host = request.RequestUri!.Authority;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(settings.AnswerTimeout);
        try
        {
            return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new TransientHubException($"{subject}: no answer from {host} in {settings.AnswerTimeout.TotalSeconds:0.#} s", e);
        }
        catch (HttpRequestException e) when (e.InnerException is AuthenticationException)
        {
            throw new HubException($"{subject}: no trusted connection to {host}: {e.InnerException.Message}", e);
        }
        catch (HttpRequestException e)
        {
            throw new TransientHubException($"{subject}: {host}: {(e.InnerException ?? e).Message}", e);
        }
    }

    private static Uri Target(Uri from, Uri? location, HubSubject subject)
    {
        if (location is null) throw new HubException($"{subject}: {from.Authority} redirects to nowhere");
        var target = new Uri(from, location);
        if (target.Scheme is not ("https" or "http") || (from.Scheme == "https" && target.Scheme != "https"))
            throw new HubException($"{subject}: {from.Authority} redirects to {target.Scheme}://{target.Authority}, which is not followed");
        return target;
    }

    /// <summary>Scheme, host and port: who may see the token.</summary>
    public static bool IsSameOrigin(Uri a, Uri b) => a.Scheme == b.Scheme && a.Port == b.Port && string.Equals(a.IdnHost, b.IdnHost, StringComparison.OrdinalIgnoreCase);

    private static bool IsRedirect(HttpStatusCode status) => (int)status is 301 or 302 or 303 or 307 or 308;

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.First() : null;

    public void Dispose() => client.Dispose();
}
