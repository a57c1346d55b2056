"""Random journals of hostile values, folded and compared with a model in plain Python.

Start it by `bench/hostile/run`. A seed and a number decide each case, which is one run
with its journals; so a case that fails can be had alone.
"""
