using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Inference.Cli.Tests;

/// <summary>A request as it came.</summary>
internal sealed record HubRequest(string Target, IReadOnlyDictionary<string, string> Headers)
{
    public string Path => Target.Split('?')[0];

    /// <summary>First byte asked for; 0 without a range.</summary>
    public int From => Headers.TryGetValue("Range", out string? range) ? int.Parse(range["bytes=".Length..].TrimEnd('-')) : 0;
}

/// <summary>An answer to send, rightly or not.</summary>
internal sealed record HubReply(int Status, byte[] Body)
{
    public Dictionary<string, string> Headers { get; } = [];

    /// <summary>Null: none is sent, and the end of the connection ends the body.</summary>
    public long? ContentLength { get; init; } = Body.Length;

    /// <summary>Bytes of the body after which the connection is dropped.</summary>
    public int? DropAfter { get; init; }

    /// <summary>Dropped by a reset instead of an end.</summary>
    public bool Reset { get; init; }

    /// <summary>Instead of dropping, say nothing more until this is done.</summary>
    public Task? Stall { get; init; }

    public HubReply With(string name, string value)
    {
        Headers[name] = value;
        return this;
    }
}

/// <summary>HTTP/1.1 on a port of 127.0.0.1, byte by byte under a test's control; each connection is one request.</summary>
internal sealed class HubServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly List<HubRequest> requests = [];
    private readonly Func<HubRequest, HubReply> answer;
    private readonly Task accepting;

    public HubServer(Func<HubRequest, HubReply> answer)
    {
        this.answer = answer;
        listener.Start();
        accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    public HubRequest[] Requests
    {
        get
        {
            lock (requests) return [.. requests];
        }
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                Socket connection = await listener.AcceptSocketAsync(stop.Token);
                serving.Add(Task.Run(() => ServeAsync(connection)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        using Socket closing = connection;
        try
        {
            await using var stream = new NetworkStream(connection);
            using var reader = new StreamReader(stream, Encoding.Latin1, false, 1, leaveOpen: true);
            string[] first = (await reader.ReadLineAsync(stop.Token) ?? "").Split(' ');
            if (first.Length < 3) return;
            Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
            while (await reader.ReadLineAsync(stop.Token) is { Length: > 0 } line) headers[line.Split(": ")[0]] = line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..];
            var request = new HubRequest(first[1], headers);
            lock (requests) requests.Add(request);
            await SendAsync(connection, stream, answer(request));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // The client has left, or the test is over.
        }
    }

    private async Task SendAsync(Socket connection, NetworkStream stream, HubReply reply)
    {
        var head = new StringBuilder($"HTTP/1.1 {reply.Status} X\r\nConnection: close\r\n");
        if (reply.ContentLength is { } length) head.Append($"Content-Length: {length}\r\n");
        foreach ((string name, string value) in reply.Headers) head.Append($"{name}: {value}\r\n");
        await stream.WriteAsync(Encoding.Latin1.GetBytes(head.Append("\r\n").ToString()), stop.Token);
        await stream.WriteAsync(reply.Body.AsMemory(0, Math.Min(reply.DropAfter ?? reply.Body.Length, reply.Body.Length)), stop.Token);
        await stream.FlushAsync(stop.Token);
        if (reply.Stall is not null) await reply.Stall.WaitAsync(stop.Token);
        if (reply.Reset) connection.LingerState = new LingerOption(true, 0);
        else connection.Shutdown(SocketShutdown.Send);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await accepting;
        listener.Dispose();
        stop.Dispose();
    }
}
