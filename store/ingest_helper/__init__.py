"""The helper process that ingests journals beside the training.

It may import `base`, `database`, `files`, `ingest` and `journal`.
"""
