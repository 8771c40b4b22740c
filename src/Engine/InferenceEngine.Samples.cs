namespace Inference;

public sealed partial class InferenceEngine
{
    /// <summary>
    /// Begins to answer a prompt <see cref="GenerationOptions.Samples"/> times, independently. The prompt is computed once: the samples share its memory and copy only the block in which they part.
    /// Sample i is the answer that <see cref="GenerateAsync(string, GenerationOptions?, CancellationToken)"/> gives with the same seed and <see cref="GenerationOptions.SampleIndex"/> + i.
    /// </summary>
    /// <inheritdoc cref="GenerateAsync(string, GenerationOptions?, CancellationToken)"/>
    public IReadOnlyList<Generation> GenerateSamplesAsync(string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        options ??= new GenerationOptions();
        return GenerateSamplesAsync(tokenizer.Encode(prompt, addSpecial: true, parseSpecial: options.ParseSpecialTokens), options, cancellationToken);
    }

    /// <summary>The same for a prompt given as token ids.</summary>
    /// <inheritdoc cref="GenerateSamplesAsync(string, GenerationOptions?, CancellationToken)"/>
    public IReadOnlyList<Generation> GenerateSamplesAsync(IReadOnlyList<int> prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        options ??= new GenerationOptions();
        int[] ids = Check(prompt, options);
        ulong seed = Seed(options);
        var samples = new Generation[options.Samples];
        Request? first = null;
        for (int i = 0; i < samples.Length; i++)
        {
            try
            {
                Request request = Submit(ids, options with { Samples = 1, SampleIndex = options.SampleIndex + i }, seed, spelled: null, first, cancellationToken);
                first ??= request;
                samples[i] = request.Generation;
            }
            catch (QueueFullException)
            {
                // All or none.
                for (int j = 0; j < i; j++) samples[j].Cancel();
                throw;
            }
        }
        return samples;
    }
}
