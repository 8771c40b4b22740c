namespace Inference.Kernels.Tests;

/// <summary>Which partitions of a step are read once, against the definition: equal blocks from the beginning to the partition's end, and a query behind it.</summary>
public class SharedPrefixTests
{
    private const int BlockSize = 16, PerPartition = Attention.Partition / BlockSize, Partitions = 5;

    [Theory, InlineData(2), InlineData(5), InlineData(64)]
    public void Groups_are_those_of_the_definition(int most)
    {
        var random = new Random(most);
        var prefixes = new SharedPrefixes();
        int shared = 0;
        for (int round = 0; round < 300; round++)
        {
            StepBatch batch = RandomForest(random, out int blocks);
            prefixes.Find(batch, BlockSize, blocks, most);
            var seen = new HashSet<(int Partition, int Sequence)>();
            foreach (SharedPartition part in prefixes.Partitions)
            {
                Assert.InRange(part.Count, 1, most);
                int[] members = [.. Enumerable.Range(part.First, part.Count).Select(prefixes.Member)];
                foreach (int s in members)
                {
                    Assert.True(seen.Add((part.Partition, s)), "a sequence is in two groups");
                    Assert.True(Common(batch, members[0], s) > part.Partition, "a group's blocks differ");
                }
            }
            for (int s = 0; s < batch.SequenceCount; s++)
            {
                int company = Enumerable.Range(0, batch.SequenceCount).Where(t => t != s).Select(t => Common(batch, s, t)).DefaultIfEmpty(0).Max();
                Assert.Equal(company, prefixes.Leading(s));
                for (int p = 0; p < Partitions; p++) Assert.Equal(p < company, seen.Contains((p, s)));
                shared += company;
            }
        }
        Assert.True(shared > 1000, "the forests share too little to test anything");
    }

    /// <summary>Leading partitions that two sequences have in common, both decoding and both behind them.</summary>
    private static int Common(StepBatch batch, int a, int b)
    {
        if (batch.QueryCount[a] != 1 || batch.QueryCount[b] != 1) return 0;
        int behind = Math.Min(batch.Positions[batch.QueryStart[a]], batch.Positions[batch.QueryStart[b]]) / Attention.Partition, common = 0;
        while (common < behind && Enumerable.Range(common * PerPartition, PerPartition).All(i => Block(batch, a, i) == Block(batch, b, i))) common++;
        return common;
    }

    private static int Block(StepBatch batch, int sequence, int index) => batch.BlockTables[batch.TableSlot[sequence] * batch.Capacity.BlocksPerSequence + index];

    /// <summary>Sequences that begin as earlier ones do, up to any block, and go on alone; now and then one prefills.</summary>
    private static StepBatch RandomForest(Random random, out int blocks)
    {
        int count = random.Next(1, 20), row = 0;
        var batch = new StepBatch(new StepCapacity(100, 20, Partitions * PerPartition, 0));
        blocks = 0;
        for (int s = 0; s < count; s++)
        {
            int rows = random.Next(8) == 0 ? 3 : 1;
            int slot = batch.TableSlot[s] = count - 1 - s, parent = s == 0 ? -1 : random.Next(-1, s), common = parent < 0 ? 0 : random.Next(batch.Capacity.BlocksPerSequence);
            for (int i = 0; i < batch.Capacity.BlocksPerSequence; i++) batch.SetBlock(slot, i, i < common ? Block(batch, parent, i) : blocks++);
            (batch.QueryStart[s], batch.QueryCount[s]) = (row, rows);
            for (int r = 0, position = random.Next(Partitions * Attention.Partition - 3); r < rows; r++) batch.Positions[row++] = position + r;
        }
        (batch.SequenceCount, batch.RowCount) = (count, row);
        return batch;
    }
}
