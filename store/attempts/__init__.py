"""The attempts of a run: their numbers, their order, and what they supersede.

It may import `base` and `journal`.
"""
