"""The README says what is so: the tests' command, and links that lead to files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(section: str, language: str) -> list[str]:
    text = README.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}[^\n]*\n(.*?)```", text, re.DOTALL)


def test_the_test_command_is_the_one_of_the_check() -> None:
    assert blocks("Tests", "sh") == ["pytest\n"]
    steps = (ROOT / ".ci" / "check").read_text().splitlines()
    tests = "step bash .ci/tests pytest"
    assert steps[-2:] == [tests, f"{tests} -m slow"]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_to_files(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)", text)
    missing = [
        target
        for target in targets
        if not target.startswith("https://") and not (ROOT / target).exists()
    ]
    assert targets
    assert missing == []
