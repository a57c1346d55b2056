"""A virtual environment a tool, made by pip and kept in the cache."""

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from _tools import Tool

ROOT = Path(__file__).resolve().parents[2]
INSTALL_SECONDS = 900
_PARTS = ("stepwell", "store", "viz", "cli", "migrations", "m")  # what is installed
_BARE = ("pip", "setuptools", "_distutils_hack", "pkg_resources", "distutils-precedence")
_PROBE = """
import json, sys
from importlib.metadata import distributions
found = sorted({d.name.lower(): d.version for d in distributions()}.items())
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment that is ready, or that could not be made.

    Attributes:
        python: Its interpreter.
        version: The tool's version.
        packages: How many packages it holds, pip and setuptools left out.
        megabytes: Their size on disk.
        words: Why it could not be made; else empty.
    """

    python: str
    version: str = ""
    packages: int = 0
    megabytes: float = 0.0
    words: str = ""


def here() -> Environment:
    """The environment of this very process, for Stepwell alone."""
    from stepwell import __version__  # noqa: PLC0415

    return Environment(sys.executable, f"{__version__} ({_checkout()})")


def prepare(tool: Tool, cache: Path) -> Environment:
    """The environment of *tool*, made now if it isn't there."""
    folder = cache / "environments" / (tool.environment or tool.name)
    wanted = _checkout() if tool.module in {"stepwell", "matplotlib"} else "latest"
    ready = folder / "ready.json"
    if ready.exists():
        kept = json.loads(ready.read_text(encoding="utf-8"))
        if kept["wanted"] == wanted:
            return _seen(tool, Environment(**kept["environment"]))
    shutil.rmtree(folder, ignore_errors=True)
    print(f"… installing {tool.title}", file=sys.stderr)
    try:
        _make(tool, folder)
    except subprocess.SubprocessError as error:
        words = _last_line(getattr(error, "stderr", None) or str(error))
        return Environment("", words=words)
    found = _examine(folder)
    ready.write_text(
        json.dumps({"wanted": wanted, "environment": asdict(found)}), encoding="utf-8"
    )
    return _seen(tool, found)


def _make(tool: Tool, folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", folder], check=True, capture_output=True, text=True
    )
    with tempfile.TemporaryDirectory(prefix="stepwell-peers-") as path:
        packages = list(tool.packages) or [_copy(Path(path) / "stepwell")]
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-input"]
        command = [*pip, "--disable-pip-version-check", *packages]
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )


def _copy(target: Path) -> str:
    """What Stepwell is built from, elsewhere: a build leaves files behind."""
    for part in _PARTS:
        shutil.copytree(
            ROOT / part,
            target / part,
            symlinks=True,
            ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, target / name)
    return os.fspath(target)


def _checkout() -> str:
    """A short name of what the checkout holds: the same files, the same name."""
    digest = hashlib.sha256()
    files = [ROOT / "pyproject.toml"]
    for part in _PARTS:
        files += sorted(p for p in (ROOT / part).glob("**/*.py") if not p.is_symlink())
    for file in files:
        digest.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:8]


def _examine(folder: Path) -> Environment:
    python = folder / "bin" / "python"
    done = subprocess.run(
        [python, "-c", _PROBE], check=True, capture_output=True, text=True
    )
    packages = dict(json.loads(done.stdout))
    [library] = (folder / "lib").glob("python3*/site-packages")
    size = sum(
        file.lstat().st_size
        for entry in library.iterdir()
        if not entry.name.startswith(_BARE)
        for file in ([entry] if entry.is_file() else entry.rglob("*"))
        if file.is_file()
    )
    return Environment(
        os.fspath(python),
        json.dumps(packages),
        len(packages.keys() - {"pip", "setuptools"}),
        size / 1e6,
    )


def _seen(tool: Tool, found: Environment) -> Environment:
    """The same environment with the tool's own version, not those of all packages."""
    packages = json.loads(found.version)
    names = [name.partition("[")[0].lower() for name in tool.packages]
    version = ", ".join(
        packages[name] if place == 0 else f"{name} {packages[name]}"
        for place, name in enumerate(names or [tool.module.lower()])
    )
    if tool.name == "stepwell":
        version += f" ({_checkout()}; duckdb {packages['duckdb']})"
    return Environment(found.python, version, found.packages, found.megabytes)


def import_milliseconds(environment: Environment, module: str, times: int = 5) -> float:
    """Milliseconds of an import above a bare start of Python, each in a process."""

    def took(code: str) -> float:
        begin = time.perf_counter()
        subprocess.run(
            [environment.python, "-c", code], check=True, capture_output=True, text=True
        )
        return time.perf_counter() - begin

    took(f"import {module}")
    return 1e3 * statistics.median(
        took(f"import {module}") - took("") for _ in range(times)
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[-1] if lines else "no words")[:240]
