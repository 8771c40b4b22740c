namespace Inference.Models.Tests;

/// <summary>Templates that are out to harm: each ends with an exception, well before memory or patience do.</summary>
public class TemplateSandboxTests
{
    private const string Grow = "{% set ns = namespace(x=[1], y=[1], t=(1,), s='ab', n=3) %}";

    [Theory]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
    [InlineData("{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}")]
    [InlineData("{% macro m() %}{% call m() %}{% endcall %}{{ caller }}{% endmacro %}{{ m() }}")]
    [InlineData("{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}")]
    public void Endless_recursion(string template) => Fails(template, "calls inside one another");

    [Theory]
    [InlineData("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}")]
    [InlineData("{% for i in range(100000) %}{{ range(100000)|list|length }}{% endfor %}")]
    [InlineData("{% set x = range(100000)|list %}{% for i in x %}{{ x.index(99999) }}{% endfor %}")]
    [InlineData("{% set x = range(100000)|list %}{% for i in x %}{% if x == x[:] %}{% endif %}{% endfor %}")]
    [InlineData("{% set x = 'a' * 10**7 %}{% for i in range(100000) %}{% if 'b' in x %}{% endif %}{% endfor %}")]
    [InlineData("{% set x = 'a' * 10**7 %}{% for i in range(100000) %}{% set y = x.strip() %}{% endfor %}")]
    [InlineData("{% set x = 'a' * 10**7 %}{% for i in range(100000) %}{% for c in x %}{% if loop.length %}{% break %}{% endif %}{% endfor %}{% endfor %}")]
    [InlineData("{{ ('-' * 10**6)|wordwrap(10) }}")]
    [InlineData("{{ [1, 2]|slice(10**9)|list }}")]
    [InlineData(Grow + "{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}")]
    [InlineData(Grow + "{% for i in range(100) %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}{{ {ns.t: 1} }}")]
    [InlineData(Grow + "{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}")]
    public void Endless_work(string template) => Fails(template, "does too much");

    [Theory]
    [InlineData("{{ 'a' * 10**9 }}", "repeated too often")]
    [InlineData("{{ 10**9 * 'a' }}", "repeated too often")]
    [InlineData("{{ [1] * 10**9 }}", "repeated too often")]
    [InlineData("{{ 'a' * 10**6 * 10**6 }}", "repeated too often")]
    [InlineData("{{ 'a' * 10**100 }}", "repeated too often")]
    [InlineData("{{ 10**10**10**10**10 }}", "bits")]
    [InlineData(Grow + "{% for i in range(100) %}{% set ns.n = ns.n * ns.n %}{% endfor %}", "bits")]
    [InlineData(Grow + "{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}", "longer than")]
    [InlineData(Grow + "{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}", "longer than")]
    [InlineData("{% set x = 'a' * 10**6 %}{{ x.replace('a', x) }}", "longer than")]
    [InlineData("{{ 'x'.center(10**9) }}", "longer than")]
    [InlineData("{{ '%999999999d' % 1 }}", "longer than")]
    [InlineData("{{ '{:999999999}'.format(1) }}", "longer than")]
    [InlineData("{{ '{:.999999999f}'.format(1.0) }}", "precision")]
    [InlineData("{{ range(10**9) }}", "range")]
    [InlineData("{{ range(-2**31, 2**31 - 1) }}", "range")]
    [InlineData("{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}", "longer than")]
    public void Endless_output(string template, string reason) => Fails(template, reason);

    [Theory]
    [InlineData("(", "1", ")")]
    [InlineData("[", "", "]")]
    [InlineData("{1: ", "1", "}")]
    [InlineData("not ", "1", "")]
    [InlineData("-", "1", "")]
    [InlineData("x[", "1", "]")]
    [InlineData("f(", "", ")")]
    [InlineData("1 if 1 else ", "1", "")]
    [InlineData("", "1", " - 1")]
    [InlineData("", "1", " * 1")]
    [InlineData("", "x", ".a")]
    [InlineData("", "x", "[0]")]
    [InlineData("", "x", "()")]
    [InlineData("", "x", "|list")]
    public void Deep_expressions(string open, string middle, string close) => FailsOrRenders("{{ " + Repeat(open) + middle + Repeat(close) + " }}");

    [Theory]
    [InlineData("{% if x %}")]
    [InlineData("{% for x in y %}")]
    [InlineData("{% macro m() %}")]
    [InlineData("{% set x %}")]
    [InlineData("{% filter upper %}")]
    [InlineData("{% call x() %}")]
    [InlineData("{% set (")]
    [InlineData("{% for (")]
    public void Deep_blocks(string open) => FailsOrRenders(Repeat(open));

    [Theory]
    [InlineData("{{ 1", " + 1", " }}")]
    [InlineData("{{ 'a'", " ~ 'a'", " }}")]
    [InlineData("{{ 'a'", " 'a'", " }}")]
    [InlineData("{{ 1", " and 1", " }}")]
    [InlineData("{{ 1", " < 1", " }}")]
    [InlineData("{% if x %}a", "{% elif y %}b", "{% endif %}")]
    [InlineData("{% set a", ", a", " = 1 %}")]
    public void Wide_templates(string begin, string part, string end) => FailsOrRenders(begin + Repeat(part) + end);

    [Theory]
    [InlineData("{{ ns.x }}")]
    [InlineData("{{ ns.x|tojson }}")]
    [InlineData("{{ ns.x == ns.y }}")]
    [InlineData("{{ ns.t in {} }}")]
    [InlineData("{{ ns.x < ns.y }}")]
    public void Deep_values(string use) => FailsOrRenders(Grow + "{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% set ns.y = [ns.y] %}{% set ns.t = (ns.t,) %}{% endfor %}" + use);

    [Fact]
    public void Deep_lazy_sequences() => FailsOrRenders(Grow + "{% for i in range(100000) %}{% set ns.x = ns.x|map('string') %}{% endfor %}{{ ns.x|list }}");

    [Fact]
    public void A_namespace_that_contains_itself() => FailsOrRenders("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}");

    [Theory]
    [InlineData("{{ ''.__class__.__mro__ }}")]
    [InlineData("{{ x.__init__.__globals__ }}")]
    [InlineData("{{ range.__self__.x }}")]
    [InlineData("{{ '{0.__class__.__mro__}'.format(1) }}")]
    [InlineData("{{ ''|attr('__class__')|attr('mro') }}")]
    [InlineData("{{ [].append(1) }}")]
    [InlineData("{{ {}.update({}) }}")]
    [InlineData("{{ x.GetType() }}")]
    public void Nothing_leads_out_of_the_sandbox(string template) => Fails(template, "");

    private static void Fails(string template, string reason) =>
        Assert.Contains(reason, Assert.Throws<TemplateException>(() => TemplateText.Render(template, """{"x": {"a": 1}}""")).Reason);

    /// <summary>What counts is that the process lives.</summary>
    private static void FailsOrRenders(string template)
    {
        // The test runner's threads have small stacks; a small one is the harder case anyway.
        Exception? error = null;
        var thread = new Thread(() => error = Record.Exception(() => TemplateText.Render(template, """{"x": [1], "y": [1]}""")), maxStackSize: 512 * 1024);
        thread.Start();
        thread.Join();
        if (error is not null) Assert.IsType<TemplateException>(error);
    }

    private static string Repeat(string part) => string.Concat(Enumerable.Repeat(part, part.Length == 0 ? 0 : 50_000));
}
