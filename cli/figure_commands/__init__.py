"""Commands that draw and keep figures, one a file.

It may import `cli`.
"""
