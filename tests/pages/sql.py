"""A few runs, and a query in a file."""

from pathlib import Path

import stepwell

for seed, name in enumerate(("baseline", "again", "wide")):
    with stepwell.init("digits", name, {"lr": 0.1, "seed": seed}) as run:
        for step in range(30):
            run.log({"train_loss": 1 / (step + 1), "val_loss": 1.1 / (step + 1)})
Path("losses.sql").write_text("from metrics where metric like '%loss'")
