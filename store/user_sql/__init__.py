"""A user's own SQL: checked, then run in a process that can be killed.

It may import `base`, `database`, `files`, `schema` and `values`.
"""
