"""The append-only file of one writer: format, writing, reading, who is alive.

It may import `base` and `files`.
"""
