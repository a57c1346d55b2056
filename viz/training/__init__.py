"""The visualizers that a training loop talks to.

It may import `base`, `config`, `drawing`, `figures`, `run_page`, `terminal` and `window`.
"""
