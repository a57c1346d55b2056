"""Use an installed Stepwell as a user does: run this in an empty folder elsewhere."""

import subprocess
from importlib.metadata import version
from pathlib import Path

import stepwell
from m.training_viz import create_loss_visualizer


def command(*arguments: str) -> str:
    """What the `stepwell` command prints."""
    return subprocess.check_output(["stepwell", *arguments], text=True)


def main() -> None:
    """Log one run by each of the two ways, and read both by the command line."""
    assert "site-packages" in stepwell.__file__, (
        f"not the installed one: {stepwell.__file__}"
    )
    assert version("stepwell") in command("--version")

    with stepwell.init(project="smoke", name="by-init") as run:
        for step in range(10):
            run.log({"train_loss": 1 / (step + 1)})

    visualizer = create_loss_visualizer(update_interval=5)
    for step in range(20):
        visualizer.update_metrics({"train_loss": 2 / (step + 1)})
    visualizer.save_plot("loss.png")
    visualizer.close()

    assert Path("loss.png").stat().st_size > 0
    assert Path("stepwell.duckdb").exists()
    listed = command("ls")
    assert "by-init" in listed, listed
    points = "select count(*) as points from points group by run_id order by points"
    answer = command("sql", points)
    assert "10" in answer, answer
    assert "20" in answer, answer
    print(listed, answer, sep="\n")


if __name__ == "__main__":
    main()
