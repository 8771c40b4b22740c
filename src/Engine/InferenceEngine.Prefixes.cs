namespace Inference;

public sealed partial class InferenceEngine
{
    // The blocks of a prompt may be taken for others between its computation and its saving; an engine that is so short of memory has no use for a saved prefix.
    private const int Attempts = 3;

    internal PrefixStore? Prefixes { get; init; }

    /// <summary>Saves what is computed of a prompt, its whole KV blocks, so that prompts that begin alike need not compute it in another run of the program.</summary>
    /// <param name="path">File; one that is there is replaced once the new one is complete.</param>
    /// <param name="prompt">Text, as for <see cref="GenerateAsync(string, GenerationOptions?, CancellationToken)"/>. It is computed unless it is cached.</param>
    /// <param name="options">Whether the text may spell special tokens, and whose cache it is. Null: the defaults.</param>
    /// <param name="cancellationToken">Ends the call; the file is then as before.</param>
    /// <exception cref="InferenceException">The prompt is shorter than a block, memory so short that it does not stay cached, or the device failed; no file was written.</exception>
    /// <exception cref="InvalidOperationException">The engine caches nothing (<see cref="EngineOptions.PrefixCaching"/>).</exception>
    /// <exception cref="IOException">The file cannot be written, for example since the disk is full; the engine goes on, and a file that was there is unchanged.</exception>
    public Task<SavedPrefix> SavePrefixAsync(string path, string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return SavePrefixAsync(path, tokenizer.Encode(prompt, addSpecial: true, parseSpecial: options?.ParseSpecialTokens ?? false), options, cancellationToken);
    }

    /// <summary>The same for a prompt given as token ids.</summary>
    /// <inheritdoc cref="SavePrefixAsync(string, string, GenerationOptions?, CancellationToken)"/>
    public async Task<SavedPrefix> SavePrefixAsync(string path, IReadOnlyList<int> prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(prompt);
        PrefixStore store = CheckPrefixes();
        options = new GenerationOptions { MaxTokens = 1, CacheSalt = options?.CacheSalt };
        int[] ids = Check(prompt, options);
        int wanted = ids.Length / store.BlockSize;
        if (wanted == 0) throw new InferenceException($"the prompt has {ids.Length} tokens, and whole blocks of {store.BlockSize} are saved");
        byte[][] blocks = await store.ReadAsync(ids, PrefixRoot(options)!.Value).ConfigureAwait(false);
        for (int attempt = 0; attempt < Attempts && blocks.Length < wanted; attempt++)
        {
            await GenerateAsync(ids, options, cancellationToken).GetTextAsync(cancellationToken).ConfigureAwait(false);
            blocks = await store.ReadAsync(ids, PrefixRoot(options)!.Value).ConfigureAwait(false);
        }
        if (blocks.Length < wanted) throw new InferenceException($"the {wanted} blocks of the prompt do not stay cached: KV memory is short");
        cancellationToken.ThrowIfCancellationRequested();
        await Task.Run(() => PrefixFile.Write(path, store.Fingerprint, ids.AsSpan(0, wanted * store.BlockSize), blocks, store.WrapFile), CancellationToken.None).ConfigureAwait(false);
        logger.Information("Saved {Tokens} tokens of a prompt in {Path}", wanted * store.BlockSize, path);
        return new SavedPrefix(ids[..(wanted * store.BlockSize)], wanted * store.BlockBytes);
    }

    /// <summary>
    /// Puts a saved prefix into the cache: prompts that begin with it find it as if an earlier request had computed it, until the memory is needed. Where there is not room for all of it, its beginning is taken.
    /// </summary>
    /// <param name="path">A file of <see cref="SavePrefixAsync(string, string, GenerationOptions?, CancellationToken)"/>.</param>
    /// <param name="cacheSalt">Whose requests find it (<see cref="GenerationOptions.CacheSalt"/>).</param>
    /// <exception cref="PrefixFileException">The file is damaged, or was made with another model, other KV types or blocks, another device or version; the message says which.</exception>
    /// <exception cref="InvalidOperationException">The engine caches nothing (<see cref="EngineOptions.PrefixCaching"/>).</exception>
    /// <exception cref="InferenceException">The device failed, or the engine was disposed; other requests go on.</exception>
    /// <exception cref="IOException">The file is absent or cannot be read.</exception>
    public async Task<SavedPrefix> LoadPrefixAsync(string path, string? cacheSalt = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        PrefixStore store = CheckPrefixes();
        (int[] ids, byte[][] blocks) = await Task.Run(() => PrefixFile.Read(path, store.Fingerprint, store.BlockSize, store.BlockBytes)).ConfigureAwait(false);
        int count = await store.InsertAsync(ids, blocks, PrefixRoot(new GenerationOptions { CacheSalt = cacheSalt })!.Value).ConfigureAwait(false);
        logger.Information("Loaded {Tokens} of {All} tokens of a prompt from {Path}", count * store.BlockSize, ids.Length, path);
        return new SavedPrefix(ids[..(count * store.BlockSize)], count * store.BlockBytes);
    }

    private PrefixStore CheckPrefixes()
    {
        ObjectDisposedException.ThrowIf(disposed != 0, this);
        return PrefixCaching ? Prefixes! : throw new InvalidOperationException($"the engine was loaded without {nameof(EngineOptions.PrefixCaching)}: there is nothing to save from or load into");
    }
}
