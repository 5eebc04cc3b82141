"""The words of a page: its title, its text, a few facts, and what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from artgen.art import Art
from artgen.exporters.requests import TIMES
from artgen.registry import bare_name

if TYPE_CHECKING:
    from artgen.output.page import PageWords


def words_of(art: Art) -> PageWords:
    """Collect the words of a page: those of the recipe, or generated ones."""
    from artgen.output.page import PageWords

    drawing, words = art.drawing, art.recipe.piece
    count = art.primitive().count_of(drawing)
    name = bare_name(drawing.primitive)
    parts = f"{count:,} {TIMES} {name}" if count > 1 else f"{drawing.parameters:,} numbers"
    title = (words and words.title) or (parts if count > 1 else name)
    facts = [name if count <= 1 else "", parts, f"{drawing.width} {TIMES} {drawing.height}"]
    facts += [f"{art.psnr:.1f} dB"] if art.psnr is not None else []
    shown = [fact for fact in facts if fact and fact != title]
    alt = (words and words.alt) or f"A picture made of {parts}"
    return PageWords(title, (words and words.text) or "", shown, alt)
