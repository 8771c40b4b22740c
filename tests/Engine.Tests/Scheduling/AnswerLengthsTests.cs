using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

public class AnswerLengthsTests
{
    private static void Answer(AnswerLengths lengths, int tokens, bool ends)
    {
        for (int i = 0; i < tokens; i++) lengths.Extended(i);
        if (ends) lengths.Ended(tokens);
    }

    [Fact]
    public void Nothing_known_is_the_prior()
    {
        var lengths = new AnswerLengths();
        Assert.Equal(AnswerLengths.PriorLength, lengths.Rest(0));
        Assert.Equal(AnswerLengths.PriorLength, lengths.Rest(int.MaxValue));
    }

    [Fact]
    public void The_rest_is_the_mean_of_those_that_came_so_far()
    {
        var lengths = new AnswerLengths();
        var random = new Random(3);
        int[] answers = [.. Enumerable.Range(0, 2000).Select(_ => random.Next(1, 801))];
        foreach (int answer in answers) Answer(lengths, answer, ends: true);
        // Bucket bounds, so that the oracle counts the same answers.
        foreach (int length in (int[])[0, 4, 8, 64, 128, 256, 512])
        {
            double mean = answers.Where(a => a >= length).Average(a => a - length);
            Assert.InRange(lengths.Rest(length), mean * 0.97 - 1, mean * 1.03 + 1);
        }
    }

    [Fact]
    public void Answers_that_are_cut_make_others_no_shorter()
    {
        AnswerLengths free = new(), cut = new();
        var random = new Random(4);
        for (int i = 0; i < 4000; i++)
        {
            // Ends are as likely after any token: then the mean rest is 200 anywhere, whether or not some are cut at 100.
            int answer = (int)(-Math.Log(1 - random.NextDouble()) * 200);
            Answer(free, answer, ends: true);
            Answer(cut, Math.Min(answer, 100), ends: answer < 100);
        }
        Assert.InRange(free.Rest(0), 180, 220);
        Assert.InRange(cut.Rest(0), 180, 220);
        Assert.InRange(cut.Rest(50), 175, 225);
    }

    [Fact]
    public void Where_nothing_ends_the_rest_has_no_limit_and_old_answers_are_forgotten()
    {
        var lengths = new AnswerLengths();
        for (int i = 0; i < 100; i++) Answer(lengths, 1000, ends: false);
        Assert.InRange(lengths.Rest(900), 10_000, int.MaxValue);
        for (int i = 0; i < 400_000; i++) Answer(lengths, 20, ends: true);
        Assert.InRange(lengths.Rest(0), 19, 21);
    }
}
