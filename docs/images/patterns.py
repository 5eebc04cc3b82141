"""The pictures of docs/patterns.md: all groups of wallpaper, and a tiling; run it anywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

import artgen
from artgen.values.symmetry import WALLPAPERS

HERE = Path(__file__).parent
SIDE, GAP, LINE, COLUMNS = 210, 14, 30, 6


def cell(name: str) -> Image.Image:
    art = artgen.fit("sample:koi", "gaussian", count=50, symmetry=name, size=120, steps=120, seed=3)
    width, height = art.drawing.width, art.drawing.height
    tile = art.render(round(150 * max(width, height) / height))
    wall = Image.fromarray(np.tile(tile, (3, 3, 1))[:300, :300])
    return wall.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def wallpapers() -> Image.Image:
    font = ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf", 17)
    size = COLUMNS * SIDE + (COLUMNS + 1) * GAP, 3 * (SIDE + LINE) + 3 * GAP
    sheet = Image.new("RGB", size, "#f7f5f0")
    draw = ImageDraw.Draw(sheet)
    for number, name in enumerate(WALLPAPERS):
        row, column = divmod(number, COLUMNS)
        x = GAP + column * (SIDE + GAP) + (SIDE + GAP) // 2 * (row == 2)
        y = GAP + row * (SIDE + LINE + GAP // 2)
        sheet.paste(cell(name), (x, y))
        draw.text((x + SIDE / 2, y + SIDE + 4), name, fill="#26231f", font=font, anchor="ma")
    return sheet


def tiling() -> Image.Image:
    art = artgen.fit("sample:profile", "tiling", count=31, size=128, seed=1)
    return Image.fromarray(art.render(1000)).crop((0, 0, 796, 420)).quantize(24)


if __name__ == "__main__":
    wallpapers().save(HERE / "patterns.jpg", quality=84, optimize=True)
    tiling().save(HERE / "tiling.png", optimize=True)
