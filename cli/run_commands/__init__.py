"""Commands about runs, one a file.

It may import `cli`.
"""
