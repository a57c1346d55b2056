"""Windows of Qt and Tk and the picture in a notebook, and their process.

It may import `base`, `config`, `drawing`, `figures`, `live` and `run_page`.
"""
