"""Saving what a damaged store still has into a new one.

It may import `attempts`, `base`, `database`, `files`, `ingest`, `journal` and
`maintenance`.
"""
