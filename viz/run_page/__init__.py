"""The figure of one run: its page as a value, its layout, its drawing.

It may import `base`, `config` and `drawing`.
"""
