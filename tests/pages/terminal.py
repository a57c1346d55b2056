"""Two runs to watch, of which `last` is to be the newest later."""

import stepwell

for name in ("first", "second"):
    with stepwell.init(name=name) as run:
        for step in range(20):
            run.log({"train_loss": 1 / (step + 1)})
