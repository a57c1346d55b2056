"""Questions about one run and about lists of runs, with all that was logged.

It may import `attempts`, `base`, `database`, `files`, `ingest`, `ingest_helper`,
`inputs`, `journal`, `schema` and `values`.
"""
