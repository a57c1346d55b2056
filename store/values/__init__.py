"""Frozen answers and choices: run info, series, tables, selections, figures.

It may import `base` and `inputs`.
"""
