namespace Inference.Models.Templates;

/// <summary>Merge sort. Unlike .NET's own it lets the comparison's exceptions through as they are, and bears an order that contradicts itself (NaN).</summary>
internal static class StableSort
{
    /// <param name="items">Sorted in place; equal items keep their order.</param>
    /// <param name="compare">Below, at or above zero.</param>
    public static void Sort<T>(Span<T> items, Comparison<T> compare) => Sort(items, new T[items.Length], compare);

    private static void Sort<T>(Span<T> items, Span<T> buffer, Comparison<T> compare)
    {
        if (items.Length < 2) return;
        int half = items.Length / 2;
        Sort(items[..half], buffer[..half], compare);
        Sort(items[half..], buffer[half..], compare);
        items[..half].CopyTo(buffer);
        for (int left = 0, right = half, to = 0; left < half; to++)
            items[to] = right == items.Length || compare(buffer[left], items[right]) <= 0 ? buffer[left++] : items[right++];
    }
}
