"""Prints how large the house is: lines, rooms, circles of files, what is said twice.

    python tests/tools/house.py [FOLDER]

Args:
    FOLDER: A checkout; this one where none is given.
"""

import ast
import io
import re
import sys
import tokenize
from collections import Counter, defaultdict
from pathlib import Path

FOLDERS = ("store", "viz", "cli")
SAME_LINES = 6  # that make a place a repeated one


def modules(root: Path, folder: str) -> list[Path]:
    return sorted((root / folder).rglob("*.py"))


def docstring_lines(tree: ast.Module) -> set[int]:
    """The lines of texts that stand alone: docstrings, also those of constants."""
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def comment_lines(text: str) -> set[int]:
    """The lines that hold nothing but a comment."""
    return {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip()
    }


def code_lines(text: str) -> list[str]:
    """Lines without docstrings, comments of their own, and blank ones."""
    passed_over = docstring_lines(ast.parse(text)) | comment_lines(text)
    return [
        line.strip()
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and number not in passed_over
    ]


def target(root: Path, path: Path, node: ast.ImportFrom, name: str) -> str | None:
    """The module of ours that an import leads to, as its path without suffix."""
    parts = (node.module or "").split(".")
    if node.level:
        base = path.parent.relative_to(root).parts
    elif parts[0] == "stepwell":
        base, parts = (), parts[1:]
    else:
        return None
    whole = Path(*base, *filter(None, parts))
    for candidate in (whole / name, whole):
        if (root / candidate).with_suffix(".py").is_file():
            return candidate.as_posix()
    return None


def arrows(root: Path, *, typing: bool) -> dict[str, set[str]]:
    """Which module imports which, but for the faces; *typing*: for type checkers, too."""
    made: dict[str, set[str]] = {}
    for path in (path for folder in FOLDERS for path in modules(root, folder)):
        if path.name == "__init__.py":
            continue
        tree = ast.parse(path.read_text())
        passed_over = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for inner in ast.walk(node)
            if not typing
        }
        found = {
            target(root, path, node, alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and id(node) not in passed_over
            for alias in node.names
        }
        name = path.relative_to(root).with_suffix("").as_posix()
        made[name] = {one for one in found if one is not None} - {name}
    return made


def circles(made: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules each of which leads to all others of its group."""
    reach = {name: _reached(made, name) for name in made}
    groups = {
        tuple(sorted(other for other in reach[name] if name in reach.get(other, ())))
        for name in made
        if name in reach[name]
    }
    return [list(group) for group in sorted(groups)]


def _reached(made: dict[str, set[str]], name: str) -> set[str]:
    found: set[str] = set()
    left = list(made[name])
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += made.get(one, ())
    return found


def repeated_places(texts: list[list[str]]) -> int:
    """Places whose lines stand in another one, to the letter; imports don't count."""
    plain = [
        [line for line in lines if not line.startswith(("from ", "import "))]
        for lines in texts
    ]
    seen: dict[tuple[str, ...], int] = defaultdict(int)
    for lines in plain:
        for start in range(len(lines) - SAME_LINES + 1):
            seen[tuple(lines[start : start + SAME_LINES])] += 1
    places = 0
    for lines in plain:
        was_repeated = False
        for start in range(len(lines) - SAME_LINES + 1):
            is_repeated = seen[tuple(lines[start : start + SAME_LINES])] > 1
            places += is_repeated and not was_repeated
            was_repeated = is_repeated
    return places


def main() -> None:
    """Print a line a number."""
    root = Path(sys.argv[1] if sys.argv[1:] else Path(__file__).parents[2]).resolve()
    print(f"{'':8}{'modules':>9}{'lines':>9}{'code':>9}{'comments':>10}")
    texts: list[list[str]] = []
    sums: Counter[str] = Counter()
    for folder in FOLDERS:
        found = [path.read_text() for path in modules(root, folder)]
        code = [code_lines(text) for text in found]
        counts = {
            "modules": len(found),
            "lines": sum(text.count("\n") for text in found),
            "code": sum(map(len, code)),
            "comments": sum(len(comment_lines(text)) for text in found),
            "noqa": sum(len(re.findall(r"# noqa\b", text)) for text in found),
        }
        sums.update(counts)
        texts += code
        say(folder, counts)
    say("all", sums)
    sizes = Counter(
        path.parent.relative_to(root).as_posix()
        for folder in (*FOLDERS, "tests")
        for path in modules(root, folder)
    )
    largest, files = sizes.most_common(1)[0]
    longest = max(
        (path for folder in FOLDERS for path in modules(root, folder)),
        key=lambda path: path.read_text().count("\n"),
    )
    print(f"comments of their own: {sums['comments'] / sums['lines']:.1%} of the lines")
    print(f"noqa: {sums['noqa']}")
    print(f"largest folder: {largest}, {files} modules; folders: {len(sizes)}")
    length = longest.read_text().count("\n")
    print(f"longest module: {longest.relative_to(root)}, {length} lines")
    for typing in (False, True):
        found_circles = circles(arrows(root, typing=typing))
        kind = "also those that only type checkers import" if typing else "as they are run"
        print(f"circles of files, {kind}: {len(found_circles)}")
        for group in found_circles:
            print("   ", " ".join(group))
    print(f"places of {SAME_LINES} lines that stand elsewhere: {repeated_places(texts)}")


def say(folder: str, counts: dict[str, int]) -> None:
    """Print a row of the table."""
    cells = f"{counts['modules']:9}{counts['lines']:9,}{counts['code']:9,}"
    print(f"{folder:8}{cells}{counts['comments']:10}")


if __name__ == "__main__":
    main()
