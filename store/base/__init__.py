"""What everything of the store stands on: errors, ids, clocks, warnings.

It may import none of the other rooms.
"""
