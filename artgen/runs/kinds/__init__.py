"""Kinds of run: each says how its target is prepared, fitted and exported."""
