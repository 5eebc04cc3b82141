"""The contact sheet of a batch: a picture, and a page to click through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from artgen.base.files import open_regular
from artgen.output import atomic_write, contact_sheet, encode_png
from artgen.values.frame import LARGEST

PAGE_MARK = b"img-src 'self' file:;"
"""By which a page is known as one that `write_sheet` wrote."""

_LONGEST = 480
"""Long side of a picture on the sheet, in pixels."""


def write_sheet(cells: Sequence[tuple[Path, str]], sheet: Path) -> None:
    """Write `sheet`, a PNG, and the page beside it. Raises InputError, OutputError.

    A cell is a still and what stands below it.
    """
    from artgen.base.decode import guarded_image

    pictures = []
    for still, caption in cells:
        name = str(still)
        with open_regular(still, name) as file, guarded_image(file, LARGEST**2, name) as picture:
            # Pictures of few colours are stored as numbers of them.
            shown = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
            shown.thumbnail((_LONGEST, _LONGEST))
            pictures.append((np.array(shown), caption))
    atomic_write(sheet, encode_png(contact_sheet(pictures)))
    from artgen.output.templates import read_asset, render_page

    style = read_asset("artgen.output", "base.css") + read_asset("artgen.cli", "sheet.css")
    script = read_asset("artgen.cli", "sheet.js")
    page = render_page(
        "artgen.cli",
        title=sheet.stem.removesuffix("-sheet"),
        style=style,
        script=script,
        cells=cells,
    )
    atomic_write(sheet.with_suffix(".html"), page.encode())
