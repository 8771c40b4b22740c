using Inference.Evaluation;

namespace Inference.Tests.Evaluation;

public class TextWindowsTests
{
    private static int[][] All(TextWindows windows) => [.. Enumerable.Range(0, windows.Count).Select(i => windows[i].ToArray())];

    [Fact]
    public void Every_token_is_predicted_once_behind_the_begin_token()
    {
        var windows = new TextWindows([10, 11, 12, 13, 14], bos: 1, context: 3);
        Assert.Equal([[1, 10, 11], [1, 12, 13], [1, 14]], All(windows));
        Assert.Equal(5, windows.Predictions);
    }

    [Fact]
    public void Without_a_begin_token_the_first_of_a_window_is_not_predicted()
    {
        var windows = new TextWindows([10, 11, 12, 13, 14, 15, 16], bos: null, context: 3);
        Assert.Equal([[10, 11, 12], [13, 14, 15]], All(windows));
        Assert.Equal(4, windows.Predictions);
    }

    [Fact]
    public void Fewer_than_two_tokens_are_refused()
    {
        Assert.Contains("0 tokens", Assert.Throws<InvalidDataException>(() => new TextWindows([], 1, 8)).Message);
        Assert.Contains("1 token;", Assert.Throws<InvalidDataException>(() => new TextWindows([5], 1, 8)).Message);
        Assert.Equal(2, new TextWindows([5, 6], 1, 8).Predictions);
    }

    [Fact]
    public void Fingerprint_tells_texts_and_cuts_apart()
    {
        UInt128 one = new TextWindows([1, 2, 3, 4], 0, 3).Fingerprint();
        Assert.Equal(one, new TextWindows([1, 2, 3, 4], 0, 3).Fingerprint());
        Assert.NotEqual(one, new TextWindows([1, 2, 3, 5], 0, 3).Fingerprint());
        Assert.NotEqual(one, new TextWindows([1, 2, 3, 4], 0, 4).Fingerprint());
        Assert.NotEqual(one, new TextWindows([1, 2, 3, 4], 7, 3).Fingerprint());
    }
}
