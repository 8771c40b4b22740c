using System.Xml.Linq;
using Inference.Tests.Shared;

namespace Inference.Tests;

/// <summary>The arrows of the design: Engine -> Models, KvCache, Kernels; Models -> Kernels; Kernels -> ILGPU; tools -> Engine.</summary>
public class ProjectArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Kernels"] = [],
        ["KvCache"] = [],
        ["Models"] = ["Kernels"],
        ["Engine"] = ["Kernels", "KvCache", "Models"],
    };

    [Fact]
    public void Source_projects_reference_only_what_the_design_allows()
    {
        string[] folders = [.. Directory.GetDirectories(Path.Combine(SharedData.Root, "src")).Select(d => Path.GetFileName(d)!).Order()];
        Assert.Equal(Allowed.Keys.Order(), folders);
        foreach ((string folder, string[] allowed) in Allowed) Assert.Equal(allowed.Order(), References(folder, "ProjectReference").Select(r => r.Split('/')[^2]).Order());
    }

    [Fact]
    public void Only_kernels_know_ILGPU_and_the_cache_knows_nothing()
    {
        Assert.Contains("ILGPU", References("Kernels", "PackageReference"));
        Assert.Empty(References("KvCache", "PackageReference"));
        foreach (string folder in (string[])["Models", "Engine"])
            Assert.DoesNotContain(References(folder, "PackageReference"), r => r.StartsWith("ILGPU", StringComparison.Ordinal));
    }

    [Fact]
    public void No_file_of_the_sources_is_longer_than_500_lines()
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(SharedData.Root, "src"), "*.cs", SearchOption.AllDirectories))
        {
            if (file.EndsWith(".g.cs", StringComparison.Ordinal) || file.Contains("/obj/", StringComparison.Ordinal)) continue;
            int lines = File.ReadLines(file).Count();
            Assert.True(lines <= 500, $"{file} has {lines} lines");
        }
    }

    private static string[] References(string folder, string kind) =>
        [.. Directory.GetFiles(Path.Combine(SharedData.Root, "src", folder), "*.csproj").SelectMany(p => XDocument.Load(p).Descendants(kind)).Select(e => e.Attribute("Include")!.Value.Replace('\\', '/'))];
}
