"""A primitive in a distribution of its own; listing it imports no torch."""

from artgen import Spec, hookimpl


@hookimpl
def artgen_primitives():
    """Offer `dab`."""
    return [Spec("dab", "A soft, anisotropic dab.", "artgen_dab.dab:Dab")]
