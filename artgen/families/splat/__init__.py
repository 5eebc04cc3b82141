"""Splats: N instances of one footprint, blended."""
