"""Drawings that move: films of key drawings, and morphs from one drawing into another."""
