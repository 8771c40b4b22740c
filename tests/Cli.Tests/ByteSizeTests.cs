namespace Inference.Cli.Tests;

public class ByteSizeTests
{
    [Theory]
    [InlineData("4096", 4096)]
    [InlineData("1K", 1024)]
    [InlineData("512M", 536870912)]
    [InlineData("512MB", 536870912)]
    [InlineData("512MiB", 536870912)]
    [InlineData("1.5g", 1610612736)]
    [InlineData("2T", 2199023255552)]
    [InlineData("100b", 100)]
    public void Sizes_are_read(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out long read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("1,5G")]
    [InlineData("12X")]
    [InlineData("1e3")]
    [InlineData("99999999999T")]
    public void Other_text_is_not(string text) => Assert.False(ByteSize.TryParse(text, out _));

    [Theory]
    [InlineData(100, "100 B")]
    [InlineData(1024, "1.00 KiB")]
    [InlineData(11645600, "11.1 MiB")]
    [InlineData(536870912, "512 MiB")]
    public void Sizes_are_printed_with_three_digits(long bytes, string text) => Assert.Equal(text, ByteSize.Format(bytes));
}
