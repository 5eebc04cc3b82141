"""A picture of latents on a page: the bytes of the file, and a script that decodes them."""

from __future__ import annotations

from importlib import resources

from artgen import Drawing, family
from artgen_plugins.latents import Latents, coder
from artgen_plugins.latents.coding import pack
from artgen_plugins.latents.kernels import OFFSETS
from artgen_plugins.latents.layout import bits_of, weight_shapes


@family.page_script.register(Latents)
def script_of_latents(latents: Latents, drawing: Drawing) -> family.PageScript:
    """What draws it on a page; its parts are the grids, from the coarsest."""
    levels = latents.levels
    facts = {
        "weights": [
            {"name": name, "shape": shape, "bits": bits_of(name)}
            for name, shape in weight_shapes(len(levels)).items()
        ],
        "grids": [tuple(level) for level in levels],
        "offsets": OFFSETS,
        "factors": coder.ratios(),
    }
    script = resources.files(__package__).joinpath("page.js").read_text(encoding="utf-8")
    return family.PageScript(script, facts, pack(latents, drawing.tensors), count=len(levels))
