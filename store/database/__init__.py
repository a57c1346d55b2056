"""The DuckDB file: lease, turns, attaching, upgrades, torn checkpoints.

It may import `base`, `files`, `inputs`, `journal`, `process_end` and `schema`.
"""
