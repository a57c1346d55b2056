"""Journal records become rows of the database, each exactly once.

It may import `attempts`, `base`, `database`, `files`, `inputs`, `journal` and `schema`.
"""
