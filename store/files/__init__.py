"""The files of a store: where they are, whose they are, locks, hidden folders.

It may import `base`.
"""
