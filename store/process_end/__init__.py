"""How this process ends, what that says of its runs, and who is told.

It may import `base` and `inputs`.
"""
