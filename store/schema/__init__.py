"""The tables and views: their declaration, what a file holds, rows in and out.

It may import `base`.
"""
