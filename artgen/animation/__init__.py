"""Drawings that move: forms of film, and morphs from one drawing into another."""
