using System.Collections;

namespace Inference.Tests.Faults;

/// <summary>Fails when it is read for the n-th time.</summary>
internal sealed class BadBias(int reads) : IReadOnlyDictionary<int, float>
{
    private int left = reads;
    public int Count => 1;
    public IEnumerable<int> Keys => [5];
    public IEnumerable<float> Values => [0];
    public float this[int key] => 0;
    public bool ContainsKey(int key) => key == 5;
    public bool TryGetValue(int key, out float value) => (value = 0) == 0 && key == 5;
    public IEnumerator<KeyValuePair<int, float>> GetEnumerator() => --left < 0 ? throw new InvalidOperationException("the client's dictionary is broken") : new Dictionary<int, float> { [5] = 0 }.GetEnumerator();
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
