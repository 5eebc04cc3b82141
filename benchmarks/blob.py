"""How good small SVG files get: `blob` beside the tracer vtracer, and beside other shapes.

Pictures are fitted at 256 pixels by `climb`, then polished by `gradient` with the opacity kept, one
seed. An SVG of artgen includes its recipe. The shapes have as many numbers for their outlines as
the blobs: 8 each, so there are 4/3 as many triangles. The SVG of vtracer is drawn by resvg four
times as large and averaged (packages `vtracer` and `resvg_py`). Seconds are those of one whole fit,
compiling included. Evaluations are as in `shapes`.
"""

from __future__ import annotations

import importlib.util
import io
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import artgen
from artgen.losses.metrics import psnr
from artgen.output import to_pixels
from benchmarks._report import Table, figure
from benchmarks._settings import Settings
from benchmarks.shapes import open_target, rates

_TRACER = None not in map(importlib.util.find_spec, ("vtracer", "resvg_py"))
ENLARGED = 4
"""How many times larger the SVG of the tracer is drawn."""


def run(settings: Settings) -> Iterator[Table]:
    side = 48 if settings.quick else 256
    kinds = [(name, reach) for reach in (8, 32) for name in ("triangle", "polygon", "blob")]
    yield rates(kinds[:3] if settings.quick else kinds, side, 500 if settings.quick else 20_000)

    fits = [("blob", 236), ("blob", 570), ("triangle", 315), ("polygon", 236)]
    plans = {
        "astronaut": fits,
        "coffee": [*fits[:1], ("blob", 420)],
        "chelsea": [*fits[:1], ("blob", 570)],
    }
    if settings.quick:
        plans = {"astronaut": [("blob", 4)]}
    rows: list[tuple[str, ...]] = []
    for picture, kinds in plans.items():
        rows += traced(picture, side)
        rows += [fitted(picture, side, name, count) for name, count in kinds]
    columns = ("", "parts", "SVG, kB", "PSNR, dB", "CPU s")
    note = "" if _TRACER else "Without vtracer: its packages are not installed."
    yield Table(f"SVG files, long side {side}", columns, rows, note)


def fitted(picture: str, side: int, name: str, count: int) -> tuple[str, ...]:
    """Polish shapes, and measure the SVG file and the still."""
    common = {"count": count, "size": side, "seed": 1, "threads": 1}
    began = time.process_time()
    found = artgen.fit(f"sample:{picture}", name, engine="climb", **common)
    with tempfile.TemporaryDirectory() as folder:
        start = Path(folder, "start.art")
        found.save(start)
        art = artgen.fit(
            f"sample:{picture}",
            name,
            engine="gradient",
            engine_options={"alpha": "keep"},
            init=start,
            **common,
        )
    seconds = time.process_time() - began
    size = len(art.to_svg().encode())
    return row(name, picture, count, size, art.metrics["psnr"], seconds)


def traced(picture: str, side: int) -> Iterator[tuple[str, ...]]:
    """Trace with the defaults, and with larger speckles left out."""
    if not _TRACER:
        return
    import resvg_py
    import vtracer

    target = to_pixels(open_target(picture, side).permute(1, 2, 0).numpy())
    height, width = target.shape[:2]
    for name, options in {"vtracer": {}, "vtracer, speckles": {"filter_speckle": 10}}.items():
        with tempfile.TemporaryDirectory() as folder:
            source, result = Path(folder, "in.png"), Path(folder, "out.svg")
            Image.fromarray(target).save(source)
            began = time.process_time()
            vtracer.convert_image_to_svg_py(str(source), str(result), **options)
            seconds, text = time.process_time() - began, result.read_text()
        sides = {"width": ENLARGED * width, "height": ENLARGED * height}
        large = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text, **sides))))
        blocks = np.asarray(large.convert("RGB"), float)
        blocks = blocks.reshape(height, ENLARGED, width, ENLARGED, 3).mean((1, 3))
        quality = psnr(np.rint(blocks).astype(np.uint8), target)
        yield row(name, picture, text.count("<path"), len(text), quality, seconds)


def row(
    name: str, picture: str, parts: int, size: int, quality: float, seconds: float
) -> tuple[str, ...]:
    return (
        f"{name}, {picture}" if "vtracer" in name else f"{parts} {name}, {picture}",
        f"{parts}",
        f"{size / 1000:.1f}",
        f"{quality:.2f}",
        figure(seconds),
    )
