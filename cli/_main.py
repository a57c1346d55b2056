"""The command `stepwell` and what all its commands share."""

import sys
from pathlib import Path
from typing import Any

import click

from stepwell.store import StepwellError

from ._commands import SECTIONS, Commands


class Failure(click.ClickException):
    """A library error, as one line and exit code 2."""

    exit_code = 2


class OneLineErrors(click.Group):
    """Shows each of the library's errors as one line; the only place that does."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; see `click.Group.invoke`."""
        try:
            return super().invoke(ctx)
        except StepwellError as error:
            raise Failure(" ".join(str(error).split())) from error
        except BrokenPipeError:
            sys.stderr.close()  # the reader has seen enough, such as `head`
            raise SystemExit(0) from None
        except OSError as error:  # of the output, or of a picture's file
            where = f" ({error.filename})" if error.filename else ""
            raise Failure(f"{error.strerror or error}{where}") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by section, without importing them."""
        width = max(len(name) for commands in SECTIONS.values() for name in commands)
        for section, commands in SECTIONS.items():
            rows = [(name.ljust(width), about) for name, about in commands.items()]
            with formatter.section(section):
                formatter.write_dl(rows)


@click.group(
    cls=OneLineErrors,
    commands=Commands(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="stepwell", message="stepwell %(version)s")
@click.option(
    "--store",
    "location",
    type=click.Path(path_type=Path),
    envvar="STEPWELL_STORE",
    show_envvar=True,
    help="The store's database file.  [default: ./stepwell.duckdb]",
)
@click.pass_context
def main(ctx: click.Context, location: Path | None) -> None:
    """Look into a store of training runs, finished or still going.

    RUN is an id, a unique part of one, a run's name, or `last`.
    """
    ctx.obj = location
