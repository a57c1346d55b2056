"""Questions about many runs: leaderboard, curves, groups, importance.

It may import `base`, `inputs`, `queries`, `schema` and `values`.
"""
