namespace Inference;

/// <summary>A beginning of prompts whose keys and values are in a file.</summary>
/// <param name="TokenIds">Its tokens: whole KV blocks of the prompt that was saved, or of those that the engine had room for.</param>
/// <param name="Bytes">Bytes of their keys and values.</param>
public sealed record SavedPrefix(IReadOnlyList<int> TokenIds, long Bytes);
