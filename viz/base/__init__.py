"""What needs no matplotlib: axes, numbers, names of metrics, smoothing, messages.

It may import none of the other rooms.
"""
