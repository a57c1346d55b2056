"""Two runs to look at."""

import stepwell

for name in ("first", "second"):
    with stepwell.init(name=name) as run:
        for step in range(20):
            run.log({"train_loss": 1 / (step + 1), "val_loss": 1.1 / (step + 1)})
