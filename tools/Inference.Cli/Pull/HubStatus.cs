using System.Net;

namespace Inference.Cli;

/// <summary>What a request is about, for messages.</summary>
/// <param name="Repository">Its name.</param>
/// <param name="Revision">Branch, tag or commit.</param>
/// <param name="File">Null for the list of files.</param>
internal sealed record HubSubject(string Repository, string Revision, string? File = null)
{
    public override string ToString() => File is null ? Repository : $"{Repository}: {File}";
}

/// <summary>Says in one line what a failed status means, and what to do.</summary>
internal static class HubStatus
{
    /// <param name="response">Neither success nor redirect.</param>
    /// <param name="subject">What was asked for.</param>
    /// <param name="atHub">Whether the hub itself answered, or a host that it redirected to.</param>
    /// <param name="settings">Endpoint, and whether a token was sent.</param>
    public static IOException ExceptionFor(HttpResponseMessage response, HubSubject subject, bool atHub, HubSettings settings)
    {
        int status = (int)response.StatusCode;
        string host = response.RequestMessage!.RequestUri!.Authority;
        if (status is 408 or 429 or 500 or 502 or 503 or 504)
            return new TransientHubException($"{subject}: {host} answers {Words(response)}") { RetryAfter = RetryAfter(response, settings.Clock) };
        // The hub's links to its storage hold a signature that expires; the next try gets a new one.
        if (!atHub && status is >= 400 and < 500) return new TransientHubException($"{subject}: the storage {host} answers {Words(response)}");
        string? code = Header(response, "X-Error-Code");
        return new HubException(response.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden when code == "GatedRepo" =>
                $"{subject}: the repository is gated ({status}): ask for access at {settings.Endpoint.AbsoluteUri.TrimEnd('/')}/{subject.Repository}, and {TokenHint(settings)}",
            HttpStatusCode.Unauthorized => $"{subject}: {host} wants {(settings.Token is null ? "a token" : "another token")} (401): the repository is private or gated, or there is none of that name; {TokenHint(settings)}",
            HttpStatusCode.Forbidden => $"{subject}: access is refused (403); {TokenHint(settings)}",
            HttpStatusCode.NotFound => NotFound(code, subject, settings),
            _ => $"{subject}: {host} answers {Words(response)}",
        });
    }

    private static string NotFound(string? code, HubSubject subject, HubSettings settings) => code switch
    {
        "RevisionNotFound" => $"{subject.Repository}: no revision '{subject.Revision}' (404)",
        "EntryNotFound" => $"{subject.Repository}: no file '{subject.File}' at revision {subject.Revision} (404)",
        _ => $"{subject}: not found at {settings.Endpoint.Authority} (404): check the name{(subject.Revision == PullRequest.DefaultRevision ? "" : " and the revision")}; a private repository needs HF_TOKEN",
    };

    private static string TokenHint(HubSettings settings) => settings.Token is null ? "set HF_TOKEN to a token of an account that may read it" : "HF_TOKEN must be a token of an account that may read it";

    /// <summary>Number, name and the server's own explanation, which may hold anything.</summary>
    private static string Words(HttpResponseMessage response)
    {
        string words = $"{(int)response.StatusCode} {response.StatusCode}";
        if (Header(response, "X-Error-Message") is not { } message) return words;
        string clean = new([.. message.Where(c => !char.IsControl(c)).Take(200)]);
        return $"{words}: {clean}";
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage response, TimeProvider clock) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date > clock.GetUtcNow() => date - clock.GetUtcNow(),
        _ => null,
    };

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.First() : null;
}
