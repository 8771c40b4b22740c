namespace Inference.Cli.Tests;

/// <summary>What the bar shows.</summary>
public class PullProgressTests
{
    private sealed class Clock : TimeProvider
    {
        public double Seconds { get; set; }

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => (long)(Seconds * 1000);
    }

    [Fact]
    public void The_rate_is_that_of_the_last_seconds()
    {
        var clock = new Clock();
        var rate = new TransferRate(clock);
        Assert.Equal(0, rate.BytesPerSecond);
        for (int second = 0; second <= 100; second++)
        {
            clock.Seconds = second;
            rate.Add(second <= 50 ? second * 1000 : 50_000 + (second - 50) * 10);
            if (second == 50) Assert.Equal(1000, rate.BytesPerSecond);
        }
        Assert.Equal(10, rate.BytesPerSecond);
    }

    [Fact]
    public void What_was_there_before_is_done_but_not_received()
    {
        var progress = new PullProgress();
        progress.Expect([new HubFile("a", 1000, new string('1', 40)), new HubFile("b", 500, new string('2', 40))]);
        progress.Begin("a", 0, 1000);
        progress.Begin("a", 600, 1000);
        progress.MoveTo(600);
        progress.MoveTo(700);
        Assert.Equal(new PullProgress.State("a", 700, 1500, 100), progress.Now);
        progress.Report("try 2 in 1 s");
        progress.MoveTo(0); // started anew
        progress.Report("the parts do not fit");
        Assert.Equal(new PullProgress.State("the parts do not fit", 0, 1500, 100), progress.Now);
        progress.MoveTo(1000);
        progress.Finish();
        progress.Begin("b", 0, 500);
        Assert.Equal(new PullProgress.State("b", 1000, 1500, 1100), progress.Now);
    }

    [Theory]
    [InlineData(1024, 4096, 0, "1.00 KiB of 4.00 KiB")]
    [InlineData(1024, 4096, 1024, "1.00 KiB of 4.00 KiB, 1.00 KiB/s, 0:00:03 left")]
    [InlineData(0, 7_322_000, 1000, "0 B of 6.98 MiB, 1000 B/s, 2:02:02 left")]
    public void Numbers_tell_bytes_rate_and_time(long done, long total, double rate, string text) => Assert.Equal(text, PullBar.Numbers(new PullProgress.State("", done, total, 0), rate));

    [Fact]
    public void A_log_hears_reports_and_nothing_else()
    {
        List<string> lines = [];
        var progress = new PullProgress(lines.Add);
        progress.Begin("a", 0, 10);
        progress.Report("try 2 in 1 s");
        progress.Report("");
        progress.MoveTo(10);
        Assert.Equal(["try 2 in 1 s"], lines);
    }
}
