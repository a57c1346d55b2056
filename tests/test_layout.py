"""The package map, the links and the layers agree with the files on disk."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
FOLDERS: dict[str, str] = SETUPTOOLS["package-dir"]

# Which folder may import which: the architecture, in one place.
MAY_IMPORT: dict[str, set[str]] = {
    "migrations": set(),
    "store": {"migrations"},
    "viz": {"store"},
    "cli": {"store", "viz"},
    "stepwell": {"store", "viz"},
    "m": {"training_viz", "rich_trainer_viz"},  # modules of the facade, nothing below
}

# Slow to import, or not needed by who only logs: loaded when first used.
HEAVY = {
    "alembic",
    "click",
    "duckdb",
    "matplotlib",
    "numpy",
    "pandas",
    "rich",
    "sqlalchemy",
}

LONGEST_MODULE = 300
LONGER_MODULES: dict[str, int] = {}  # path: lines, with the reason; none so far


def modules(folder: str) -> list[Path]:
    """The folder's Python files, without what it links to."""
    return [
        path
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.resolve() == path.absolute()
    ]


def tracked_files() -> list[Path]:
    """What git holds or would hold, links left out."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.check_output(command, cwd=ROOT, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("no git checkout")
    paths = [ROOT / name for name in listing.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def test_every_package_is_declared() -> None:
    on_disk = {
        init.parent.relative_to(ROOT).as_posix()
        for folder in FOLDERS.values()
        for init in (ROOT / folder).rglob("__init__.py")
    }
    declared = {
        name.removeprefix("stepwell.").replace(".", "/") for name in SETUPTOOLS["packages"]
    }
    assert declared == on_disk | {"stepwell", "m"}


def test_the_namespace_package_stays_one() -> None:
    assert not (ROOT / "m" / "__init__.py").exists()


@pytest.mark.parametrize(("name", "folder"), FOLDERS.items())
def test_the_facade_links_to_each_part(name: str, folder: str) -> None:
    link = ROOT / name.replace(".", "/")
    assert link.readlink() == Path("..", folder)


def imported_names(path: Path) -> set[str]:
    """Every name a file imports in absolute form, inside functions too."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    return {
        f"{node.module}.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
        for alias in node.names
    } | {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}


def edges(folder: str) -> set[str]:
    """The parts of Stepwell that a folder's files import; "m" for the shims."""
    names = {name for path in modules(folder) for name in imported_names(path)}
    parts = {name.split(".")[1] for name in names if name.startswith("stepwell.")}
    parts |= {"stepwell" for name in names if name == "stepwell"}
    parts |= {"m" for name in names if name == "m" or name.startswith("m.")}
    return parts - {folder}


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_follow_the_layers(folder: str) -> None:
    assert modules(folder)
    assert edges(folder) <= MAY_IMPORT[folder]


@pytest.mark.parametrize(
    "name",
    ["stepwell", "m.training_viz", "m.rich_trainer_viz", "stepwell.rich_trainer_viz"],
)
def test_importing_the_public_face_is_light(name: str, tmp_path: Path) -> None:
    code = f"import sys, {name}; print(*{{m.split('.')[0] for m in sys.modules}})"
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, text=True)
    assert set(loaded.split()) & HEAVY == set()


@pytest.mark.parametrize("folder", ["store", "viz", "cli", "stepwell", "m"])
def test_modules_are_short(folder: str) -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines())
        for path in modules(folder)
    }
    too_long = {
        name: length
        for name, length in lengths.items()
        if length > LONGER_MODULES.get(name, LONGEST_MODULE)
    }
    assert too_long == {}


def test_the_list_of_longer_modules_has_no_leftover() -> None:
    for name in LONGER_MODULES:
        assert len((ROOT / name).read_text().splitlines()) > LONGEST_MODULE


def test_no_file_names_a_folder_of_one_machine() -> None:
    # Put together here, so that this file does not match.
    folders = "|".join(["/" + "home/", "/" + "root/", "/" + "Users/", "/" + "work/"])
    private = re.compile(f"(?<![\\w.*/-])({folders})".encode())
    found = [path for path in tracked_files() if private.search(path.read_bytes())]
    assert found == []
