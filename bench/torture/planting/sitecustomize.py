"""Plants a torture's bug in the library's helper processes; see `torture._plants`."""

import os

if os.environ.get("TORTURE_PLANT"):
    from torture._plants import is_helper, plant
    from torture._setting import of_environment

    if is_helper():
        plant(of_environment())
