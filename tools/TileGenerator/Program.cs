using TileGenerator;

// Writes src/Kernels/Simd/Tiles/*.g.cs. With --check it writes nothing, and exits with 1 when a file differs from what it would write.
string root = AppContext.BaseDirectory;
while (!File.Exists(Path.Combine(root, "Inference.sln")))
    root = Path.GetDirectoryName(root) ?? throw new DirectoryNotFoundException("Inference.sln was not found above " + AppContext.BaseDirectory);
string folder = Path.Combine(root, "src", "Kernels", "Simd", "Tiles");
bool check = args.Contains("--check");

InstructionSet[] sets = [new Portable(), new Avx2(), new Avx2Vnni(), new Avx512Vnni(), new Avx512()];
Tile[] tiles = [new F32Tile(), new F16Tile(), new BF16Tile(), new Q8_0Tile(), new Q4_0Tile(), new Q4_1Tile(), new Q5_0Tile(), new Q5_1Tile(), new MXFP4Tile(), new IQ4_NLTile(),
    new Q2_KTile(), new Q3_KTile(), new Q4_KTile(), new Q5_KTile(), new Q6_KTile(), new IQ4_XSTile(), new DecodedTile()];
var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
foreach (InstructionSet set in sets)
    foreach (Tile tile in tiles.Where(set.Has))
    {
        var code = new CodeWriter();
        tile.WriteClass(code, set);
        files.Add($"{set.Name}Tiles.{tile.Type}.g.cs", code.ToString());
    }
files.Add("TileTable.g.cs", TileTable.Write(sets, tiles));

int differences = 0;
Directory.CreateDirectory(folder);
foreach (string old in Directory.GetFiles(folder, "*.g.cs").Where(f => !files.ContainsKey(Path.GetFileName(f))))
{
    differences++;
    Console.WriteLine($"{old} is not generated any more");
    if (!check) File.Delete(old);
}
foreach ((string name, string text) in files)
{
    string path = Path.Combine(folder, name);
    if (File.Exists(path) && File.ReadAllText(path) == text) continue;
    differences++;
    Console.WriteLine(path + (check ? " differs from what the generator writes" : " written"));
    if (!check) File.WriteAllText(path, text);
}
Console.WriteLine(check && differences > 0 ? $"{differences} of {files.Count} files differ: run `dotnet run --project tools/TileGenerator`" : $"{files.Count} files up to date");
return check && differences > 0 ? 1 : 0;
