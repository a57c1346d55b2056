"""The runs of a sweep as points, bands and groups, without drawing.

It may import `base`.
"""
