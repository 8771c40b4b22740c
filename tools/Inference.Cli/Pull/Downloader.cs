using System.Net;
using System.Net.Http.Headers;

namespace Inference.Cli;

/// <summary>Brings files of one commit into the cache: each goes on where it stopped, is checked by size and hash, and only then gets its name.</summary>
internal sealed class Downloader(HubSettings settings, HubClient client, HubCache cache, string repository, string commit, PullProgress progress)
{
    private readonly byte[] buffer = new byte[1 << 20];

    /// <summary>Returns the file's path in the snapshot. What is there already costs no request.</summary>
    /// <exception cref="HubException">The hub does not deliver the file; what has come is kept for the next time if it may be right.</exception>
    /// <exception cref="IOException">The cache cannot be written.</exception>
    public async Task<string> EnsureAsync(HubFile file, CancellationToken cancellation)
    {
        string path = cache.PathOf(commit, file);
        if (cache.Has(commit, file))
        {
            progress.Begin(file.Path, 0, file.Size);
            progress.Finish();
            return path;
        }
        progress.Begin(file.Path, 0, file.Size);
        using (await CacheLock.TakeAsync(cache.LockPath(file), progress.Report, cancellation).ConfigureAwait(false))
        {
            // The process that held the lock may have been after the same file.
            if (!cache.Has(commit, file))
            {
                bool isNew = !cache.HasBlob(file);
                if (isNew) await ReceiveAsync(file, cancellation).ConfigureAwait(false);
                cache.Link(commit, file, isNew);
            }
        }
        progress.Finish();
        return path;
    }

    /// <summary>Until the blob is complete, or nothing helps.</summary>
    private async Task ReceiveAsync(HubFile file, CancellationToken cancellation)
    {
        using PartialFile partial = PartialFile.Open(cache.IncompletePath(file), file, buffer, cancellation);
        var retries = new Retries(settings, progress.Report);
        EntityTagHeaderValue? tag = null;
        long most = partial.Length;
        bool anew = false;
        progress.Begin(file.Path, partial.Length, file.Size);
        while (true)
        {
            try
            {
                if (!partial.IsComplete) await ReceivePieceAsync().ConfigureAwait(false);
                string hash = partial.Hash();
                if (hash == file.Id)
                {
                    partial.Complete(cache.BlobPath(file));
                    return;
                }
                // Pieces that do not belong together make a wrong file of right bytes; a whole answer that is wrong will be wrong again.
                bool giveUp = anew || !partial.IsPieced;
                partial.Restart();
                if (giveUp) throw new HubException($"{repository}: {file.Path}: its {file.HashName} is {hash}, the hub says {file.Id}; nothing of it is kept");
                anew = true;
                most = 0;
                progress.Report("the parts do not fit together; starting anew");
            }
            catch (TransientHubException e)
            {
                partial.Break();
                // Only new ground counts, so that a server that always starts anew and drops does not keep us for ever.
                if (partial.Length > most)
                {
                    most = partial.Length;
                    retries.Reset();
                }
                await retries.WaitAsync(e, cancellation).ConfigureAwait(false);
            }
        }

        async Task ReceivePieceAsync()
        {
            using HubResponse response = await client.OpenAsync(repository, commit, file, partial.Length, tag, cancellation).ConfigureAwait(false);
            EntityTagHeaderValue? newTag = response.Message.Headers.ETag;
            Check(file, response);
            Position(file, partial, response.Message, tag, newTag);
            // A weak tag does not promise the same bytes.
            tag = newTag is { IsWeak: false } ? newTag : null;
            progress.MoveTo(partial.Length);
            await CopyAsync(file, partial, response.Message, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>What the answer says about itself, before anything is taken from it.</summary>
    private void Check(HubFile file, HubResponse response)
    {
        if (response.LinkedId is { } id && HubFile.IsId(id) && id.Length == file.Id.Length && id != file.Id)
            throw new HubException($"{repository}: {file.Path}: the hub's list says {file.HashName} {file.Id}, its file server {id}; try again later");
        HttpContentHeaders headers = response.Message.Content.Headers;
        long? size = response.Message.StatusCode == HttpStatusCode.OK ? headers.ContentLength : headers.ContentRange?.Length;
        foreach (long? said in (long?[])[response.LinkedSize, size])
        {
            if (said is { } bytes && bytes != file.Size) throw new HubException($"{repository}: {file.Path}: has {file.Size:N0} bytes by the hub's list, and {bytes:N0} by its file server");
        }
    }

    /// <summary>Makes the partial file end where the answer begins.</summary>
    private void Position(HubFile file, PartialFile partial, HttpResponseMessage answer, EntityTagHeaderValue? tag, EntityTagHeaderValue? newTag)
    {
        if (answer.StatusCode == HttpStatusCode.OK)
        {
            // The server ignores ranges, or has new content.
            if (partial.Length > 0) partial.Restart();
            return;
        }
        bool fits = answer.StatusCode == HttpStatusCode.PartialContent && answer.Content.Headers.ContentRange?.From == partial.Length;
        if (fits && (tag is null || newTag is null || tag.Equals(newTag))) return;
        partial.Restart();
        progress.MoveTo(0);
        throw new TransientHubException($"{repository}: {file.Path}: " + (fits ? "the file server's content has changed under way" : "the file server does not send the part asked for"));
    }

    private async Task CopyAsync(HubFile file, PartialFile partial, HttpResponseMessage answer, CancellationToken cancellation)
    {
        string host = answer.RequestMessage!.RequestUri!.Authority;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Stream body;
        while (!partial.IsComplete)
        {
            int read;
            try
            {
                timeout.CancelAfter(settings.StallTimeout);
                body = await answer.Content.ReadAsStreamAsync(timeout.Token).ConfigureAwait(false);
                read = await body.ReadAsync(buffer, timeout.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
            {
                throw new TransientHubException($"{repository}: {file.Path}: nothing from {host} in {settings.StallTimeout.TotalSeconds:0.#} s{Kept()}", e);
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                throw new TransientHubException($"{repository}: {file.Path}: {host} drops the connection{Kept()}", e);
            }
            if (read == 0) throw new TransientHubException($"{repository}: {file.Path}: {host} ends{Kept()}");
            if (read > file.Size - partial.Length) throw new HubException($"{repository}: {file.Path}: {host} sends more than the {file.Size:N0} bytes that the hub's list says");
            partial.Append(buffer.AsSpan(0, read));
            progress.MoveTo(partial.Length);
        }

        string Kept() => $" after {ByteSize.Format(partial.Length)} of {ByteSize.Format(file.Size)}, which are kept for the next time";
    }
}
