namespace Inference.Cli.Tests;

/// <summary>Which file of a repository is meant.</summary>
public sealed class PullChoiceTests : PullFixture
{
    private static HubListing Listing(params string[] paths) => new(FakeHub.Commit, [.. paths.Select((p, i) => new HubFile(p, 10, i.ToString("d40")))]);

    private static FileChoice Choose(string text, params string[] paths) => FileChoice.Of(PullRequest.Parse(text, null), Listing(paths));

    [Theory]
    [InlineData("m-Q4_K_M.gguf", "Q4_K_M")]
    [InlineData("m.q4_k_m.gguf", "Q4_K_M")]
    [InlineData("m_Q8_0.gguf", "Q8_0")]
    [InlineData("m-UD-Q4_K_XL.gguf", "UD-Q4_K_XL")]
    [InlineData("m-IQ4_XS.gguf", "IQ4_XS")]
    [InlineData("m-Q4_0_4_8.gguf", "Q4_0_4_8")]
    [InlineData("m-bf16.gguf", "BF16")]
    [InlineData("m-f16.gguf", "F16")]
    [InlineData("m-f16-Q6_K.gguf", "Q6_K")]
    [InlineData("m-MXFP4_MOE.gguf", "MXFP4_MOE")]
    [InlineData("m-TQ2_0.gguf", "TQ2_0")]
    [InlineData("Q5_K_S/m.gguf", "Q5_K_S")]
    [InlineData("m-Q3_K_L-imat.gguf", "Q3_K_L")]
    [InlineData("qwen-7b.gguf", null)]
    [InlineData("FAQ4_K_M.gguf", null)]
    public void A_name_tells_the_quantisation(string path, string? quant) => Assert.Equal(quant, QuantName.Of(path));

    [Theory]
    [InlineData("m-Q4_K_M.gguf", "m-Q2_K.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf")]
    [InlineData("m-Q4_K_M.gguf", "m-IQ4_XS.gguf", "m-UD-Q4_K_M.gguf", "m-Q4_K_M.gguf")]
    [InlineData("m-Q8_0.gguf", "m-Q2_K.gguf", "m-Q8_0.gguf", "m-BF16.gguf")]
    [InlineData("m-Q2_K.gguf", "README.md", "m-Q2_K.gguf")]
    [InlineData("m.gguf", "m.gguf", "mmproj-m-Q8_0.gguf", "imatrix.gguf")]
    public void Without_a_name_the_common_one_is_taken(string chosen, params string[] paths) => Assert.Equal(chosen, Choose("org/model", paths).Path);

    [Theory]
    [InlineData("Q2_K", "m-Q2_K.gguf")]
    [InlineData("q2_k", "m-Q2_K.gguf")]
    [InlineData("Q4_K_XL", "m-UD-Q4_K_XL.gguf")]
    [InlineData("UD-Q4_K_XL", "m-UD-Q4_K_XL.gguf")]
    [InlineData("F16", "m-F16.gguf")]
    [InlineData("m-BF16.gguf", "m-BF16.gguf")]
    [InlineData("deep.gguf", "a/deep.gguf")]
    [InlineData("a/deep.gguf", "a/deep.gguf")]
    [InlineData("mmproj-m-F16.gguf", "mmproj-m-F16.gguf")]
    public void A_name_is_a_file_or_a_quantisation(string name, string chosen) =>
        Assert.Equal(chosen, Choose("org/model:" + name, "m-Q2_K_S.gguf", "m-Q2_K.gguf", "m-UD-Q4_K_XL.gguf", "m-BF16.gguf", "m-F16.gguf", "mmproj-m-F16.gguf", "a/deep.gguf").Path);

    [Theory]
    [InlineData("org/model", "has several GGUF files, none of them Q4_K_M or Q8_0: choose with org/model:NAME from Q2_K, Q6_K", "m-Q2_K.gguf", "m-Q6_K.gguf")]
    [InlineData("org/model", "has several Q4_K_M files: choose with org/model:NAME from a-Q4_K_M.gguf, b-Q4_K_M.gguf", "a-Q4_K_M.gguf", "b-Q4_K_M.gguf")]
    [InlineData("org/model:Q6_K", "has several Q6_K files", "a-Q6_K.gguf", "b-Q6_K.gguf")]
    [InlineData("org/model:Q4", "has no file and no quantisation 'Q4': choose from Q4_K_M, other.gguf", "a-Q4_K_M.gguf", "other.gguf")]
    [InlineData("org/model:b.gguf", "has several files 'b.gguf': a/b.gguf, c/b.gguf", "a/b.gguf", "c/b.gguf")]
    [InlineData("org/model:Q8_0", "has no file and no quantisation 'Q8_0': it has no GGUF files", "config.json", "model.safetensors")]
    [InlineData("org/model", "has several .safetensors files and no model.safetensors.index.json: choose with org/model:FILE from a.safetensors, b.safetensors", "config.json", "a.safetensors", "b.safetensors")]
    public async Task What_is_not_clear_is_wrong_usage_and_lists_the_choices(string text, string message, params string[] paths)
    {
        foreach (string path in paths) Hub.Add(path, 10);
        await FailsAsync("org/model " + message, text, ExitCode.Usage);
        Assert.Empty(Hub.Downloads);
    }

    [Theory]
    [InlineData("org/model:Q8_0")]
    [InlineData("org/model:big-Q8_0-00002-of-00003.gguf")]
    public async Task All_parts_of_a_split_model_are_pulled(string text)
    {
        byte[] first = Hub.Add("Q8_0/big-Q8_0-00001-of-00003.gguf", 1000);
        Hub.Add("Q8_0/big-Q8_0-00003-of-00003.gguf", 1001);
        Hub.Add("Q8_0/big-Q8_0-00002-of-00003.gguf", 1002);
        Hub.Add("big-Q2_K.gguf", 1003);
        Assert.EndsWith("big-Q8_0-00001-of-00003.gguf", await PullsAsync(first, text));
        Assert.Equal(3, Directory.GetFiles(Path.Combine(Snapshot, "Q8_0")).Length);
    }

    [Fact]
    public void A_split_model_with_a_hole_is_refused() =>
        Assert.Contains("missing", Assert.Throws<HubException>(() => Choose("org/model", "m-00001-of-00003.gguf", "m-00003-of-00003.gguf")).Message);

    [Fact]
    public async Task Without_GGUF_the_safetensors_model_is_pulled_and_nothing_else()
    {
        string[] small = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];
        foreach (string path in small) Hub.Add(path, 100, large: false);
        Hub.Add("model.safetensors.index.json", """{"metadata":{},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors","c":"model-00001-of-00002.safetensors"}}"""u8.ToArray(), large: false);
        foreach (string path in (string[])["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "consolidated.safetensors", "pytorch_model.bin", "onnx/model.onnx", "README.md"]) Hub.Add(path, 2000 + path.Length);
        CliRun run = await PullAsync();
        Assert.Equal((ExitCode.Done, "", Snapshot + "\n"), (run.Code, run.Error, run.Output));
        Assert.Equal([.. ((string[])[.. small, "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]).Order()],
            Directory.GetFiles(Snapshot, "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order());
        int requests = Hub.Server.Requests.Length;
        await PullAsync();
        Assert.Equal(requests + 1, Hub.Server.Requests.Length);
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"../../x"}}""", "names '../../x', which the repository does not have")]
    [InlineData("""{"weight_map":{"a":1}}""", "is no index")]
    [InlineData("""{"weight_map":[]}""", "is no index")]
    [InlineData("[]", "is no index")]
    [InlineData("{", "is no index")]
    public async Task A_wrong_index_is_one_line(string index, string message)
    {
        Hub.Add("config.json", 10, large: false);
        Hub.Add("model.safetensors.index.json", System.Text.Encoding.UTF8.GetBytes(index), large: false);
        CliRun run = await PullAsync();
        Assert.Equal((ExitCode.Failed, ""), (run.Code, run.Output));
        Assert.Contains(message, run.Error);
    }

    [Fact]
    public async Task A_list_without_hashes_is_replaced_by_the_tree_page_by_page()
    {
        byte[] content = Hub.Add("model-Q4_K_M.gguf", 1000);
        Hub.OnHub = request => request.Target switch
        {
            var t when t.Contains("/revision/") => FakeHub.Json($$"""{"sha":"{{FakeHub.Commit}}","siblings":[{"rfilename":"model-Q4_K_M.gguf"}]}"""),
            var t when t.Contains("cursor=2") => FakeHub.Json($$"""[{"type":"file","path":"model-Q4_K_M.gguf","oid":"{{new string('1', 40)}}","size":130,"lfs":{"oid":"{{FakeHub.Sha256(content)}}","size":1000,"pointerSize":130} }]"""),
            var t when t.Contains("/tree/") => FakeHub.Json($$"""[{"type":"directory","path":"d","oid":"{{new string('2', 40)}}","size":0},{"type":"file","path":"model-Q2_K.gguf","oid":"{{new string('3', 40)}}","size":9}]""")
                .With("Link", $"<{Hub.Server.Address}api/models/org/model/tree/{FakeHub.Commit}?recursive=true&cursor=2>; rel=\"next\""),
            _ => null,
        };
        await PullsAsync(content);
    }

    [Fact]
    public async Task A_hub_without_hashes_is_refused()
    {
        Hub.OnHub = request => request.Path.Contains("/revision/")
            ? FakeHub.Json($$"""{"sha":"{{FakeHub.Commit}}","siblings":[{"rfilename":"a.gguf"}]}""")
            : FakeHub.Json("""[{"type":"file","path":"a.gguf","size":10}]""");
        await FailsAsync("no size and hash for a.gguf");
    }
}
