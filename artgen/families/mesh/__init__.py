"""Meshes: a triangulation between vertices."""
