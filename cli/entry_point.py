"""The command `stepwell` and what all its commands share."""

from pathlib import Path
from typing import Any

import click

from stepwell.store import StepwellError, StoreWarning, visible

from .command_table import SECTIONS, Commands
from .fast_start import light_process
from .options import warnings_as_lines
from .streams import usable_streams

_HELP = "NoArgsIsHelpError"
"""What click, from 8.2 on, raises to show the help where a group was given nothing."""


class Failure(click.ClickException):
    """An error as one line and exit code 2."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(visible(" ".join(message.split())))


class OneLineErrors(click.Group):
    """Shows each of the library's errors, and click's, as one line; nothing else does."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the group's own options; see `click.Command.make_context`."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise _in_one_line(error) from error
        except BrokenPipeError:  # of the help
            raise SystemExit(0) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; see `click.Group.invoke`."""
        try:
            with warnings_as_lines(StoreWarning):
                return super().invoke(ctx)
        except click.UsageError as error:
            raise _in_one_line(error) from error
        except StepwellError as error:
            raise Failure(str(error)) from error
        except BrokenPipeError:  # the reader has seen enough, such as `head`
            raise SystemExit(0) from None
        except OSError as error:  # of the output, or of a picture's file
            where = f" ({error.filename})" if error.filename else ""
            raise Failure(f"{error.strerror or error}{where}") from error
        except UnicodeEncodeError as error:  # of a file's name
            raise Failure(
                f"a name has letters that {error.encoding} lacks: {error.object!r}; set"
                " PYTHONUTF8=1"
            ) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by section, without importing them."""
        width = max(len(name) for commands in SECTIONS.values() for name in commands)
        for section, commands in SECTIONS.items():
            rows = [(name.ljust(width), about) for name, about in commands.items()]
            with formatter.section(section):
                formatter.write_dl(rows)


def _in_one_line(error: click.UsageError) -> click.ClickException:
    if type(error).__name__ == _HELP:
        return error
    message = " ".join(error.format_message().split()).removesuffix(".")
    if not message.endswith("?"):  # which is "Did you mean …?"
        command = error.ctx.command_path.split()[1:] if error.ctx else []
        message += f"; see `{' '.join(['stepwell', *command, '--help'])}`"
    return Failure(message)


@click.group(
    cls=OneLineErrors,
    commands=Commands(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="stepwell", message="stepwell %(version)s")
@click.option(
    "--store",
    "location",
    type=click.Path(readable=False, path_type=Path),
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


def start() -> None:
    """Run the command that this process was started for."""
    # In this order, so that the exit code which `usable_streams` decides on, after
    # flushing, is the one that the process ends with.
    with light_process(), usable_streams():
        main()
