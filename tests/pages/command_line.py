"""A few runs with the names that the page uses; `last` becomes a further `baseline`."""

import stepwell

names = ("bright-otter-12", "baseline", "deep", "wide")
for number, name in enumerate(names):
    config = {"lr": 10.0 ** -(number + 1), "model": {"depth": number + 2}}
    with stepwell.init("digits", name, config) as run:
        for step in range(20):
            loss = (number + 1) / (step + 1)
            run.log({"train_loss": loss, "val_loss": loss + 0.1, "reward": -loss})
