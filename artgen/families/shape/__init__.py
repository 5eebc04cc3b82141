"""Shapes: a stack of flat outlines with hard edges."""
