"""The README does what it says: its commands, its code, its links."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(section: str, language: str) -> list[str]:
    text = README.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}[^\n]*\n(.*?)```", text, re.DOTALL)


def test_the_test_command_is_the_one_of_the_check() -> None:
    assert blocks("Tests", "sh") == ["pytest\n"]
    assert (ROOT / ".ci" / "check").read_text().endswith("step pytest\n")


def test_the_quick_start_works(tmp_path: Path) -> None:
    """One run, seen from Python, from the command line and from another program."""
    scripts = Path(sys.executable).parent
    environment = {
        **{key: os.environ[key] for key in os.environ if key != "STEPWELL_STORE"},
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
    }

    def run(*command: str) -> str:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout}"
        return done.stdout

    train, plain, read = blocks("Quick start", "python")
    assert run(sys.executable, "-c", train).splitlines()[-1] == "0.005"
    assert (tmp_path / "first.png").stat().st_size > 0
    run(sys.executable, "-c", f"import stepwell\n{plain}")

    (commands,) = blocks("Quick start", "sh")
    said = {line: run(*shlex.split(line)) for line in commands.splitlines()}
    assert "first" in said["stepwell ls"]
    assert "demo" in said["stepwell ls"]
    assert "finished" in said["stepwell watch last"]
    assert "0.01" in said["stepwell compare first plain"]
    assert "0.005" in said.popitem()[1]
    for name in ("plain.png", "both.png"):
        assert (tmp_path / name).stat().st_size > 0

    assert run(sys.executable, "-c", read).strip() == "0.005 []"


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
