"""A few runs with the names that the page uses; `last` becomes a further `baseline`."""

import subprocess
import sys

import stepwell

names = ("bright-otter-12", "baseline", "deep", "wide")
for number, name in enumerate(names):
    config = {"lr": 10.0 ** -(number + 1), "model": {"depth": number + 2}}
    with stepwell.init("digits", name, config) as run:
        for step in range(20):
            loss = (number + 1) / (step + 1)
            run.log({"train_loss": loss, "val_loss": loss + 0.1, "reward": -loss})

# One that its process left without a word.
crash = "import os, stepwell; stepwell.init('digits', 'gone').log({'loss': 1}); os._exit(1)"
subprocess.run([sys.executable, "-c", crash], check=False)
with stepwell.init("digits", "newest", {"lr": 0.5}) as run:
    run.log({"train_loss": 0.5, "val_loss": 0.6, "reward": -0.5})
