"""Examining a store: faults of files, locks, tables and journals; only reads.

It may import `attempts`, `base`, `database`, `files`, `ingest`, `journal`, `schema` and
`values`.
"""
