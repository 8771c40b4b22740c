namespace Inference.Kernels.Tests;

public class ProcessorTopologyTests
{
    [Fact]
    public void Hardware_threads_of_one_core_count_once()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("topology-");
        try
        {
            Assert.Null(ProcessorTopology.CountCores(folder.FullName));
            foreach ((int cpu, string siblings) in ((int, string)[])[(0, "0,4"), (1, "1,5"), (4, "0,4"), (5, "1,5"), (11, "11")])
            {
                string topology = Directory.CreateDirectory(Path.Combine(folder.FullName, $"cpu{cpu}/topology")).FullName;
                File.WriteAllText(Path.Combine(topology, "thread_siblings_list"), siblings + "\n");
            }
            Directory.CreateDirectory(Path.Combine(folder.FullName, "cpufreq"));
            Directory.CreateDirectory(Path.Combine(folder.FullName, "cpu7")); // offline: no topology
            Assert.Equal(3, ProcessorTopology.CountCores(folder.FullName));
            Assert.Null(ProcessorTopology.CountCores(Path.Combine(folder.FullName, "absent")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void There_is_a_core_and_no_more_than_the_process_may_use() => Assert.InRange(ProcessorTopology.Cores, 1, Environment.ProcessorCount);
}
