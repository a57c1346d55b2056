"""`stepwell plot`."""

from pathlib import Path

import click

from . import _shared as shared


@click.command()
@click.argument("run")
@click.option("-m", "--metric", "metrics", multiple=True, help="Plot only this metric.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="PNG, PDF or SVG to write.  [default: RUN's name.png]",
)
@click.option("--dark", is_flag=True, help="Light lines on a dark ground.")
@shared.json_option
@shared.store_option
@click.pass_context
def plot(  # noqa: PLR0913, PLR0917 (an option an argument)
    ctx: click.Context,
    location: Path | None,
    run: str,
    metrics: tuple[str, ...],
    output: Path | None,
    dark: bool,
    as_json: bool,
) -> None:
    """Draw a run's metrics into a picture, as its own visualizer would.

    Example: stepwell plot last -m train_loss -m val_loss -o loss.png
    """
    with shared.store_of(ctx, location) as store:
        info = store.run(run)
        from stepwell.viz import save_run_figure  # noqa: PLC0415 (loads matplotlib)

        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in info.name)
        path = save_run_figure(
            store,
            info.run_id,
            output or Path(f"{name}.png"),
            metrics=list(metrics) or None,
            theme="dark" if dark else "light",
        )
    if as_json:
        shared.echo_json({"run_id": info.run_id, "name": info.name, "picture": str(path)})
    else:
        click.echo(path)
