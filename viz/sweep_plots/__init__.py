"""The plots of many runs: each a value, its preparation, its drawing.

It may import `base`, `drawing` and `sweep_data`.
"""
