"""Commands that look after stores, one a file.

It may import `cli`.
"""
