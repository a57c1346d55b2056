"""One terminal view, a plain value, as lines of text.

It may import `base`.
"""
