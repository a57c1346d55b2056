"""Where and how a run was started: process, git, rank, without secrets.

It may import `base` and `journal`.
"""
