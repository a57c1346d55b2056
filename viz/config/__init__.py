"""What a visualizer is told: panels, metrics, the terminal view, checked.

It may import none of the other rooms.
"""
