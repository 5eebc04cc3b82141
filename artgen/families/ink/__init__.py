"""Ink: marks of a few colours on paper."""
