"""SVG files: drawings and plots written, filled paths read, elements taken for contours.

This room alone knows the format.
"""
