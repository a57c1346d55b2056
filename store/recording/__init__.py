"""What lives in the training process: run, writer, background thread.

It may import `store`, `attempts`, `base`, `database`, `environment`, `files`, `ingest`,
`ingest_helper`, `inputs`, `journal`, `process_end`, `queries` and `values`.
"""
