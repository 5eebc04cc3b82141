"""Make the documentation's pictures: python docs/images/make.py.

From what `make gallery` and the comparison in docs/compare.md left in gallery/out.
"""

from __future__ import annotations

import math
import tempfile
from itertools import pairwise
from pathlib import Path

import skimage.data
from PIL import Image

from artgen.cli import main as artgen
from artgen.gallery import open_gallery
from artgen.registry import Registry
from artgen_plugins.samples import SUBJECTS
from artgen_plugins.samples.subjects import draw_subject

HERE = Path(__file__).parent
PIECES = HERE.parent.parent / "gallery" / "out"
WIDTH, GAP = 1000, 4
"""The width of the mosaic and the gap between its pictures, in pixels."""
STRIP = (
    "sunhat-in-newsprint",
    "koi-in-rings",
    "tiger-in-facets",
    "stallion-in-lines",
)
STRIP_WIDTH = 1200
"""The pieces in a row at the top of the README."""
MOSAIC = (
    "gown-in-dots",
    "wolf-in-stitches",
    "avenue-in-gouache",
    "tiger-burning-bright",
    "owl-in-a-spiral",
    "balloons-in-dots",
    "eye-in-thread",
    "ship-poster",
    "ferns-from-memory",
)
"""The pieces in the mosaic of the first page, three in a row."""
WALL_COLUMNS, WALL_WIDTH = 9, 1600
"""The rows of the sheet of all pieces."""
PREVIEWS = {"progress": "peacock-in-petals"}
"""Pieces whose videos are shown, by the names of the pictures."""
FITS = {
    "curve": ["curve:", "--set", "preset=curve-v1", "-e", "scratch", "--seed", "3"],
    "points": ["points:", "--set", "preset=classifier", "--seed", "1"],
}
"""Arguments of fits with `mlp` whose videos are shown, by the names of the pictures."""
WALKS = ("labels", "spherical", "axis:1", "axis:2")
"""Walks through the latent space of one fit, shown side by side."""
WALKED = ["sample:digits", "-p", "autoencoder", "--steps", "1500", "--seed", "3562624394"]
HERO = ("bust-in-letters", "398x497")
"""The piece of the first film, and the size of its picture, beside which the target stands."""
LOOKS_WIDTH = 1600
STAMPS = {
    "koi": ["--set", "stamp=leaf,flower", "-n", "300", "--steps", "300"],
    "lake": ["--set", "stamp=postage", "--set", "tint=1", "-n", "250", "--steps", "250"],
}
"""Arguments of fits with stamps in their own colours, by the names of the subjects."""
FIRST = ("", "-p gaussian -n 1000", "-p triangle -n 150 --palette 5")
"""What the first commands of the README add to `artgen fit`."""
COMPARISON, COMPARISON_WIDTH = "astronaut-compare", 1200
FRAMES, FRAMES_PER_SECOND, SIDE = 84, 12, 400
HELD = 2000
"""Milliseconds of the last frame of a film."""


def pieces(slugs: tuple[str, ...]) -> list[Image.Image]:
    """Open the stills of pieces."""
    return [Image.open(PIECES / slug / "final.png").convert("RGB") for slug in slugs]


def mosaic(stills: list[Image.Image], columns: int, width: int) -> Image.Image:
    """Lay out pictures uncropped, at most `columns` in a row, every row `width` pixels wide."""
    number = math.ceil(len(stills) / columns)
    ends = [round(len(stills) * row / number) for row in range(number + 1)]
    rows = [stills[start:end] for start, end in pairwise(ends)]
    heights = [
        round((width - GAP * (len(row) - 1)) / sum(still.width / still.height for still in row))
        for row in rows
    ]
    sheet = Image.new("RGB", (width, sum(heights) + GAP * (len(rows) - 1)), "white")
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for still in row:
            # The last one of a row takes what rounding left.
            wide = width - left if still is row[-1] else round(height * still.width / still.height)
            sheet.paste(still.resize((wide, height), Image.Resampling.LANCZOS), (left, top))
            left += wide + GAP
        top += height + GAP
    return sheet


def looks(folder: Path) -> list[Image.Image]:
    """The photograph of the astronaut, then the same in every look."""
    stills = [Image.fromarray(skimage.data.astronaut())]
    for name in (entry.name for entry in Registry(environ={}).entries("look")):
        flags = [
            "--look",
            name,
            "--still-size",
            "800",
            "--seed",
            "1",
            "--no-video",
        ]
        artgen(["fit", "sample:astronaut", *flags, "--out", str(folder), "--name", name, "--quiet"])
        stills.append(Image.open(folder / f"{name}.png").convert("RGB"))
    return stills


def first(folder: Path) -> list[Image.Image]:
    """The cat, as the first commands of the README draw it."""
    stills = []
    for number, options in enumerate(FIRST):
        flags = ["--still-size", "1000", "--seed", "1", "--no-video", "--quiet"]
        output = ["--out", str(folder), "--name", f"first-{number}"]
        artgen(["fit", "sample:chelsea", *options.split(), *flags, *output])
        stills.append(Image.open(folder / f"first-{number}.png").convert("RGB"))
    return stills


def stamps(folder: Path) -> list[Image.Image]:
    """Subjects made of stamps in their own colours."""
    stills = []
    for name, options in STAMPS.items():
        flags = ["--size", "256", "--still-size", "900", "--no-video", "--quiet"]
        colours = ["-p", "stamp", "--set", "colours=own"]
        output = ["--out", str(folder), "--name", f"{name}-in-stamps"]
        artgen(["fit", f"sample:{name}", *colours, *options, *flags, *output])
        stills.append(Image.open(folder / f"{name}-in-stamps.png").convert("RGB"))
    return stills


def walks(folder: Path, drawing: Path | None = None) -> list[Image.Image]:
    """Frames of several walks through one latent space, side by side."""
    if drawing is None:
        drawing = folder / "digits.art"
        artgen(["fit", *WALKED, "--no-video", "--out", str(folder), "--name", "digits", "--quiet"])
    columns = []
    for number, walk in enumerate(WALKS):
        video = folder / f"walk{number}.mp4"
        artgen(["render", str(drawing), "--walk", walk, "--seconds", "8", "-o", str(video)])
        columns.append(preview(video, SIDE // 2))
    return [mosaic(list(row), len(WALKS), 2 * SIDE) for row in zip(*columns, strict=True)]


def preview(video: Path, side: int = SIDE) -> list[Image.Image]:
    """Some of the frames of a video, evenly spaced, small."""
    import av

    with av.open(str(video)) as container:
        frames = [frame.to_image() for frame in container.decode(video=0)]
    chosen = [frames[i * (len(frames) - 1) // (FRAMES - 1)] for i in range(FRAMES)]
    for frame in chosen:
        frame.thumbnail((side, side), Image.Resampling.LANCZOS)
    return chosen


def hero(folder: Path) -> list[Image.Image]:
    """The making of a piece beside its target."""
    slug, size = HERO
    art, video = str(PIECES / slug / "drawing.art"), str(folder / "hero.mp4")
    flags = ["--film", "side-by-side", "--size", size, "--seconds", "8", "--fps", "12"]
    artgen(["render", art, *flags, "-o", video])
    return preview(Path(video), 800)


def main() -> None:
    """Write the pictures and the previews beside this file."""
    mosaic(pieces(STRIP), len(STRIP), STRIP_WIDTH).save(HERE / "strip.jpg", quality=85)
    mosaic(pieces(MOSAIC), 3, WIDTH).save(HERE / "pieces.jpg", quality=88)
    slugs = tuple(piece.slug for piece in open_gallery(PIECES.parent).pieces)
    mosaic(pieces(slugs), WALL_COLUMNS, WALL_WIDTH).save(HERE / "gallery.jpg", quality=72)
    subjects = [Image.fromarray(draw_subject(name, 768)) for name in SUBJECTS]
    mosaic(subjects, 4, STRIP_WIDTH).save(HERE / "subjects.jpg", quality=82)
    if (PIECES / f"{COMPARISON}.png").exists():
        sheet = Image.open(PIECES / f"{COMPARISON}.png")
        sheet.thumbnail((COMPARISON_WIDTH, 2 * COMPARISON_WIDTH), Image.Resampling.LANCZOS)
        sheet.save(HERE / "compare.jpg", quality=82)
    with tempfile.TemporaryDirectory() as folder:
        mosaic(looks(Path(folder)), 5, LOOKS_WIDTH).save(HERE / "looks.jpg", quality=82)
        mosaic(first(Path(folder)), len(FIRST), STRIP_WIDTH).save(HERE / "first.jpg", quality=85)
        mosaic(stamps(Path(folder)), 2, WIDTH).save(HERE / "stamps.jpg", quality=82)
        videos = {name: PIECES / piece / "progress.mp4" for name, piece in PREVIEWS.items()}
        for name, arguments in FITS.items():
            videos[name] = Path(folder, f"{name}.mp4")
            flags = ["-p", "mlp", "--size", "480", "--out", folder, "--name", name, "--quiet"]
            artgen(["fit", *arguments, *flags])
        for name, video in videos.items():
            animation(preview(video), HERE / f"{name}.webp")
        animation(walks(Path(folder)), HERE / "walk.webp")
        animation(hero(Path(folder)), HERE / "hero.webp")


def animation(frames: list[Image.Image], file: Path) -> None:
    """Write an animated picture."""
    first, *others = frames
    first.save(
        file,
        save_all=True,
        append_images=others,
        duration=[round(1000 / FRAMES_PER_SECOND)] * len(others) + [HELD],
        loop=0,
        quality=70,
        method=6,
    )


if __name__ == "__main__":
    main()
