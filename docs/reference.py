"""Write the pages that follow from the code: `python docs/reference.py [--check]`.

`commands.md` comes from click, the tables of `configuration.md` from the dataclasses. With
`--check` nothing is written; the exit code says whether the pages are as they should be.
"""

import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from stepwell.cli import main as stepwell_command
from stepwell.viz import (
    MetricConfig,
    PlotConfig,
    TrainingVisualizerConfig,
    VisualizationConfig,
)

DOCS = Path(__file__).parent
CLASSES = (TrainingVisualizerConfig, PlotConfig, MetricConfig, VisualizationConfig)
ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8,}.*)*)", re.MULTILINE)
TABLE = re.compile(r"^\| field \|.*\n(?:\|.*\n)*", re.MULTILINE)
COMMANDS_HEAD = """\
# Commands

Every command with its options, as its `--help` says; written by `python docs/reference.py`.
[The guide](command-line.md) shows them at work.
"""


def commands(group: click.Group, above: str) -> Iterator[tuple[str, click.Command]]:
    """All commands by their whole names, in alphabetical order."""
    for name, command in sorted(group.commands.items()):
        yield f"{above} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{above} {name}")


def command_section(name: str, command: click.Command) -> str:
    """One command: what it does, how it is called, its options."""
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    parts = [f"## `{name}`" if name != "stepwell" else "## Options of all commands"]
    examples = []
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        text = " ".join(paragraph.split())
        if text.startswith("Example: "):
            examples.append(text.removeprefix("Example: "))
        else:
            parts.append(text.replace("*", r"\*"))
    parts.append("\n".join(["```text", usage, *examples, "```"]))
    rows = [row for option in command.get_params(context) if (row := option_row(option))]
    if rows:
        parts.append("\n".join(["| option | what |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def option_row(parameter: click.Parameter) -> str | None:
    """An option as a row of a table; None for arguments, and for `--help`."""
    context = click.Context(stepwell_command)
    record = parameter.get_help_record(context)
    if (
        record is None
        or isinstance(parameter, click.Argument)
        or "--help" in parameter.opts
    ):
        return None
    name, what = (" ".join(text.split()).replace("|", r"\|") for text in record)
    what = what.replace("*", r"\*")
    return f"| `{name}` | {what} |"


def commands_page() -> str:
    """The page on all commands."""
    every = [("stepwell", stepwell_command), *commands(stepwell_command, "stepwell")]
    sections = [command_section(name, command) for name, command in every]
    return "\n\n".join([COMMANDS_HEAD.rstrip(), *sections]) + "\n"


def field_table(kind: type) -> str:
    """Every field of a dataclass with its default and its meaning."""
    meanings = dict(ATTRIBUTE.findall(inspect.cleandoc(kind.__doc__ or "")))
    rows = ["| field | default | what |", "|---|---|---|"]
    for field in dataclasses.fields(kind):
        meaning = " ".join(meanings[field.name].split())
        rows.append(f"| `{field.name}` | {default_of(field)} | {meaning} |")
    return "\n".join(rows)


def default_of(field: "dataclasses.Field[object]") -> str:
    """A field's default as code; a dash where it must be given."""
    if field.default is not dataclasses.MISSING:
        return f"`{field.default!r}`"
    if field.default_factory is not dataclasses.MISSING:
        return f"`{field.default_factory()!r}`"
    return "–"


def configuration_page(text: str) -> str:
    """The page on configuration, with its tables renewed."""
    for kind in CLASSES:
        heading = f"\n## `{kind.__name__}`\n"
        before, found, after = text.partition(heading)
        if not found:
            raise SystemExit(f"configuration.md has no heading for {kind.__name__}")
        table = field_table(kind) + "\n"
        start = TABLE.search(after)
        if not start:
            raise SystemExit(f"configuration.md has no table for {kind.__name__}")
        text = before + found + after[: start.start()] + table + after[start.end() :]
    return text


def main() -> None:
    """Write the pages, or say which are not as they should be."""
    configuration = DOCS / "configuration.md"
    pages = {
        DOCS / "commands.md": commands_page(),
        configuration: configuration_page(configuration.read_text(encoding="utf-8")),
    }
    old = [
        path
        for path, text in pages.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" not in sys.argv:
        for path in old:
            path.write_text(pages[path], encoding="utf-8")
    elif old:
        names = ", ".join(path.name for path in old)
        raise SystemExit(f"not as the code is: {names}; run python docs/reference.py")


if __name__ == "__main__":
    main()
