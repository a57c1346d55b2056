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

# Which room of a folder may import which: the ground floor first. A folder's own
# modules, beside its face, are a room as well.
ROOMS_MAY_IMPORT: dict[str, set[str]] = {
    "store/base": set(),
    "store/inputs": {"store/base"},
    "store/files": {"store/base"},
    "store/values": {"store/base", "store/inputs"},
    "store/journal": {"store/base", "store/files"},
    "store/environment": {"store/base", "store/journal"},
    "store/process_end": {"store/base", "store/inputs"},
    "store/schema": {"store/base"},
    "store/database": {
        "store/base",
        "store/files",
        "store/inputs",
        "store/journal",
        "store/process_end",
        "store/schema",
    },
    "store/attempts": {"store/base", "store/journal"},
    "store/ingest": {
        "store/attempts",
        "store/base",
        "store/database",
        "store/files",
        "store/inputs",
        "store/journal",
        "store/schema",
    },
    "store/ingest_helper": {
        "store/base",
        "store/database",
        "store/files",
        "store/ingest",
        "store/journal",
    },
    "store/queries": {
        "store/attempts",
        "store/base",
        "store/database",
        "store/files",
        "store/ingest",
        "store/ingest_helper",
        "store/inputs",
        "store/journal",
        "store/schema",
        "store/values",
    },
    "store/user_sql": {
        "store/base",
        "store/database",
        "store/files",
        "store/schema",
        "store/values",
    },
    "store/sweeps": {
        "store/base",
        "store/inputs",
        "store/queries",
        "store/schema",
        "store/values",
    },
    "store/doctor": {
        "store/attempts",
        "store/base",
        "store/database",
        "store/files",
        "store/ingest",
        "store/journal",
        "store/schema",
        "store/values",
    },
    "store/maintenance": {
        "store/attempts",
        "store/base",
        "store/database",
        "store/doctor",
        "store/files",
        "store/ingest",
        "store/inputs",
        "store/journal",
        "store/queries",
        "store/schema",
        "store/values",
    },
    "store/repair": {
        "store/attempts",
        "store/base",
        "store/database",
        "store/files",
        "store/ingest",
        "store/journal",
        "store/maintenance",
    },
    "store/recording": {
        "store",
        "store/attempts",
        "store/base",
        "store/database",
        "store/environment",
        "store/files",
        "store/ingest",
        "store/ingest_helper",
        "store/inputs",
        "store/journal",
        "store/process_end",
        "store/queries",
        "store/values",
    },
    "viz/base": set(),
    "viz/config": set(),
    "viz/drawing": {"viz/base"},
    "viz/run_page": {"viz/base", "viz/config", "viz/drawing"},
    "viz/sweep_data": {"viz/base"},
    "viz/sweep_plots": {"viz/base", "viz/drawing", "viz/sweep_data"},
    "viz/sweep_report": {"viz/base", "viz/drawing", "viz/sweep_data", "viz/sweep_plots"},
    "viz/live": {"viz/base", "viz/config", "viz/drawing", "viz/run_page"},
    "viz/figures": {
        "viz/base",
        "viz/config",
        "viz/drawing",
        "viz/run_page",
        "viz/sweep_data",
        "viz/sweep_plots",
    },
    "viz/window": {
        "viz/base",
        "viz/config",
        "viz/drawing",
        "viz/figures",
        "viz/live",
        "viz/run_page",
    },
    "viz/terminal": {
        "viz/base",
        "viz/config",
        "viz/terminal/capture",
        "viz/terminal/render",
    },
    "viz/terminal/render": {"viz/base"},
    "viz/terminal/capture": set(),
    "viz/training": {
        "viz/base",
        "viz/config",
        "viz/drawing",
        "viz/figures",
        "viz/run_page",
        "viz/terminal",
        "viz/window",
    },
    "cli/run_commands": {"cli"},
    "cli/figure_commands": {"cli"},
    "cli/store_commands": {"cli"},
    "store": {
        "store/base",
        "store/database",
        "store/files",
        "store/inputs",
        "store/journal",
        "store/maintenance",
        "store/queries",
        "store/schema",
        "store/sweeps",
        "store/user_sql",
        "store/values",
    },
    "viz": set(),
    "cli": set(),
}
MOST_FILES = 15  # in a folder

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


def target_of(path: Path, node: ast.ImportFrom, name: str) -> str | None:
    """The module of ours that an import leads to, as its path without suffix."""
    module = (node.module or "").split(".")
    if node.level:
        base = path.parent.relative_to(ROOT).parts
    elif module[0] == "stepwell":
        base, module = (), module[1:]
    else:
        return None
    whole = Path(*base, *filter(None, module))
    for candidate in (whole / name, whole):
        if (ROOT / candidate).with_suffix(".py").is_file():
            return candidate.as_posix()
    return whole.as_posix()


def imported_modules(path: Path, *, typing: bool) -> set[str]:
    """The modules of ours that a file imports, inside functions too.

    Args:
        path: The file.
        typing: Whether those count that only type checkers import.
    """
    tree = ast.parse(path.read_text())
    passed_over = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
        if not typing
    }
    found = {
        target_of(path, node, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and id(node) not in passed_over
        for alias in node.names
    }
    return {name for name in found if name is not None}


def room_files(room: str) -> list[Path]:
    return [
        path for path in sorted((ROOT / room).glob("*.py")) if path.name != "__init__.py"
    ]


def rooms() -> list[str]:
    return sorted(
        init.parent.relative_to(ROOT).as_posix()
        for folder in ("store", "viz", "cli")
        for init in (ROOT / folder).rglob("__init__.py")
    )


def test_every_room_is_listed() -> None:
    assert sorted(ROOMS_MAY_IMPORT) == rooms()


@pytest.mark.parametrize("room", ROOMS_MAY_IMPORT)
def test_imports_follow_the_rooms(room: str) -> None:
    folder = room.partition("/")[0]
    names = {
        name for path in room_files(room) for name in imported_modules(path, typing=True)
    }
    inside = {name for name in names if name.partition("/")[0] == folder}
    assert {name.rpartition("/")[0] for name in inside} - {room} == ROOMS_MAY_IMPORT[room]
    # Other folders are met at their face alone.
    others = {name for name in names if name.partition("/")[0] in {"store", "viz", "cli"}}
    assert {name for name in others - inside if "/" in name} == set()


def circle_in(arrows: dict[str, set[str]]) -> list[str]:
    """What is left when all is taken away that leads to nothing that is left."""
    left = {name: to & arrows.keys() for name, to in arrows.items()}
    while free := {name for name, to in left.items() if not to}:
        left = {name: to - free for name, to in left.items() if name not in free}
    return sorted(left)


def test_no_rooms_import_each_other() -> None:
    assert circle_in(ROOMS_MAY_IMPORT) == []


@pytest.mark.parametrize("folder", ["store", "viz", "cli"])
def test_no_files_import_each_other(folder: str) -> None:
    files = [
        path
        for room in rooms()
        if room.partition("/")[0] == folder
        for path in room_files(room)
    ]
    arrows = {
        path.relative_to(ROOT).with_suffix("").as_posix(): imported_modules(
            path, typing=False
        )
        for path in files
    }
    assert circle_in(arrows) == []


def test_a_circle_is_seen() -> None:
    arrows = {"a": {"b", "c"}, "b": {"c"}, "c": {"b"}, "d": {"a"}, "e": set[str]()}
    assert circle_in(arrows) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("room", [name for name in ROOMS_MAY_IMPORT if "/" in name])
def test_a_room_says_what_it_is_for_and_what_it_may_import(room: str) -> None:
    tree = ast.parse((ROOT / room / "__init__.py").read_text())
    assert len(tree.body) == 1
    purpose, _, arrows = (ast.get_docstring(tree) or "").partition("\n\n")
    assert purpose
    folder = room.partition("/")[0]
    named = set(re.findall(r"`([^`]+)`", arrows))
    assert {f"{folder}/{name}" if name != folder else name for name in named} == (
        ROOMS_MAY_IMPORT[room]
    )


@pytest.mark.parametrize("top", ["store", "viz", "cli", "tests"])
def test_a_folder_has_few_files(top: str) -> None:
    counts: dict[str, int] = {}
    for path in modules(top):
        parent = path.parent.relative_to(ROOT).as_posix()
        counts[parent] = counts.get(parent, 0) + 1
    assert {name: count for name, count in counts.items() if count > MOST_FILES} == {}
