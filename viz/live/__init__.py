"""A run's page that grows with the run, drawn again as cheaply as can be.

It may import `base`, `config`, `drawing` and `run_page`.
"""
