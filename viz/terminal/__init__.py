"""The terminal view: live display, `watch`, and where it is shown.

It may import `base`, `config`, `terminal/capture` and `terminal/render`.
"""
