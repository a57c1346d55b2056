"""A terminal shared between a training's output and the live view.

It may import none of the other rooms.
"""
