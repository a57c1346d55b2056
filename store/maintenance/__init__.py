"""Care for stores: compact, copy, merge, export, remove, upgrade, snapshot.

It may import `attempts`, `base`, `database`, `doctor`, `files`, `ingest`, `inputs`,
`journal`, `queries`, `schema` and `values`.
"""
