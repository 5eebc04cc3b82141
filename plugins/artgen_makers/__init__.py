"""Kinds of things to make that artgen ships: `artgen make --list`."""

_KINDS = {
    "string": ("String art: nails, threads as lists, a page that reads aloud", "string:String"),
}
MAKERS = {name: (summary, f"artgen_makers.{place}") for name, (summary, place) in _KINDS.items()}
"""Summary and place of each, by name."""
