"""The reference names everything, and says what is so."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"
MODULES = (
    "stepwell",
    "stepwell.store",
    "stepwell.viz",
    "stepwell.training_viz",
    "stepwell.rich_trainer_viz",
    "m.training_viz",
    "m.rich_trainer_viz",
)
DIRECTIVE = re.compile(r"^\.\. (module|data|auto\w+):: ([\w.]+)$", re.MULTILINE)


def documented() -> list[tuple[str, Any]]:
    """What the pages of the API document, by whole name."""
    found = []
    for page in sorted((DOCS / "api").glob("*.md")):
        module = ""
        for kind, name in DIRECTIVE.findall(page.read_text(encoding="utf-8")):
            if kind == "module":
                module = name
                continue
            short = name.removeprefix(f"{module}.")
            value = getattr(importlib.import_module(module), short)
            found.append((f"{module}.{short}", value))
    return found


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_in_the_reference(module: str) -> None:
    public = importlib.import_module(module)
    values = [value for _, value in documented()]
    missing = [
        name
        for name in public.__all__
        if not any(getattr(public, name) is value for value in values)
    ]

    assert missing == []


def test_nothing_is_in_the_reference_twice() -> None:
    ids = [id(value) for _, value in documented()]
    twice = [name for name, value in documented() if ids.count(id(value)) > 1]

    assert twice == []


def test_pages_made_from_the_code_are_as_the_code_is() -> None:
    command = [sys.executable, str(DOCS / "reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_every_variable_that_the_code_reads_is_documented() -> None:
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    read = re.compile(r"environ(?:\.get)?[\[(]\"(\w+)\"|VARIABLE = \"(\w+)\"")
    code = [
        path.read_text(encoding="utf-8")
        for folder in ("store", "viz", "cli")
        for path in (DOCS.parent / folder).rglob("*.py")
    ]
    names = {name for text in code for pair in read.findall(text) for name in pair if name}

    assert {"STEPWELL_STORE", "MPLBACKEND", "DISPLAY"} <= names
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []
