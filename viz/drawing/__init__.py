"""Matplotlib's primitives: colours, texts, axes, labels, picture files.

It may import `base`.
"""
