"""Fills in what Jinja2 3.1.6 renders for each template of ../language-cases.json, in an environment like the one of Hugging Face transformers.

    pip install jinja2==3.1.6 && python3 make_language_cases.py

A case is [template, text]; text is null where Jinja2 raises an exception. To add one, write [template, ""] and run this.
"""
import copy
import datetime
import json
import pathlib
import warnings

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

PATH = pathlib.Path(__file__).parent.parent / "language-cases.json"


class Generation(Extension):
    """The tag `generation`, which marks the assistant's text; here it is a block that is called."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("call"), [], [], body).set_lineno(line)

    def call(self, caller):
        return caller()


def to_json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def environment():
    result = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"])
    result.filters["tojson"] = to_json
    result.globals["raise_exception"] = raise_exception
    result.globals["strftime_now"] = datetime.datetime(2025, 7, 10, 12, 0).strftime
    return result


def render(env, template, variables):
    try:
        # Some filters of Python change a list that they are given.
        return env.from_string(template).render(**copy.deepcopy(variables))
    except Exception:
        return None


def main():
    warnings.filterwarnings("ignore")
    assert jinja2.__version__ == "3.1.6", jinja2.__version__
    data = json.loads(PATH.read_text("utf-8"))
    env = environment()
    lines = [json.dumps([template, render(env, template, data["variables"])], ensure_ascii=False) for template, _ in data["cases"]]
    variables = json.dumps(data["variables"], ensure_ascii=False)
    PATH.write_text('{"variables": ' + variables + ',\n"cases": [\n' + ",\n".join(lines) + "\n]}\n", "utf-8", newline="\n")


if __name__ == "__main__":
    main()
