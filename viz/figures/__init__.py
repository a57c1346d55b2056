"""Figures as specs: kinds of plots, styles, names of pictures, drawing again.

It may import `base`, `config`, `drawing`, `run_page`, `sweep_data` and `sweep_plots`.
"""
