"""Fail when the wheel named on the command line lacks, or adds to, the files in git."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parent.parent
PARTS = ("cli/", "migrations/", "store/", "viz/")


def expected() -> set[str]:
    """Files of the checkout's package folders, by their names in the wheel.

    Files that are new and not yet added to git count too.
    """
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    files = [name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]
    same = {name for name in files if name.startswith(("stepwell/", "m/"))}
    return same | {f"stepwell/{name}" for name in files if name.startswith(PARTS)}


def main() -> None:
    """Print how many files agree, or the differences."""
    names = set(ZipFile(sys.argv[1]).namelist())
    packed = {name for name in names if ".dist-info/" not in name}
    problems = [f"not in the wheel: {name}" for name in sorted(expected() - packed)]
    problems += [f"not in git: {name}" for name in sorted(packed - expected())]
    if problems:
        sys.exit("\n".join(problems))
    print(f"The wheel holds the {len(packed)} files that git holds.")


if __name__ == "__main__":
    main()
