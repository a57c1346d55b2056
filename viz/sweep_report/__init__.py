"""The one-page report of a sweep.

It may import `base`, `drawing`, `sweep_data` and `sweep_plots`.
"""
