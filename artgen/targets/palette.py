"""Palettes: the few colours that a picture may be made of, named, read from a file or learned."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from operator import mul
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.base import png
from artgen.base.errors import InputError, UsageError, did_you_mean
from artgen.base.files import printable, read_regular
from artgen.base.options import whole
from artgen.recipe import MOST_COLOURS
from artgen.targets.colour import LUMA, hex_colour, parse_colour
from artgen.targets.image import TargetRequest, open_image, pictures_in
from artgen.targets.learning import learn_palette

_MOST_BYTES, _MOST_PIXELS = 1_000_000, 4_000_000
_GIMP = "GIMP Palette"


NAMED: Mapping[str, str] = tomllib.loads(
    resources.files(__package__).joinpath("palettes.toml").read_text(encoding="utf-8")
)
"""Palettes by name, as hexadecimal digits; docs/primitives.md names their sources."""

MAPS = ("cividis", "gray", "inferno", "magma", "plasma", "viridis")
"""Colour maps of matplotlib that give a palette of N colours, equally spaced: ``viridis:5``."""

_STEPS = 8


def parse_palette(text: str) -> int | tuple[str, ...]:
    """The palette that a user writes: a number to learn, colours, a name, or else a file.

    Colours are separated by commas, as in ``#e63946,teal``; there may be one. A name is one of
    `NAMED`, or of `MAPS`, which take a number of colours: ``viridis:5``. So do a picture and a
    folder of pictures, from which they are learned: ``holiday:5``. A file in the way is written
    ``./viridis``. Raises UsageError, and InputError as `read_palette` does.
    """
    if (count := whole(text)) is not None:
        if 2 <= count <= MOST_COLOURS:
            return count
        raise UsageError(
            f"a palette of {text} colour{'s' * (count != 1)} cannot be learned",
            hint=f"learn 2 to {MOST_COLOURS}; or name colours, one or more, such as black,teal",
        )
    name, _, steps = text.rpartition(":") if ":" in text else (text, "", "")
    if text in NAMED:
        return tuple(f"#{digits}" for digits in NAMED[text].split())
    if name in MAPS and (count := whole(steps or str(_STEPS))) is not None:
        return _steps_of(name, count)
    if (colour := _colour(text)) is not None:
        return (colour,)
    if (count := whole(steps)) is not None and os.path.exists(name):
        return _learned_from(Path(name), count)
    there = os.path.exists(text)
    if ("#" in text or "," in text) and not there:
        return tuple(dict.fromkeys(hex_colour(parse_colour(each)) for each in text.split(",")))
    if not there and not os.path.splitext(text)[1]:
        raise UsageError(
            f"there is no palette {printable(text)!r}", hint=did_you_mean(text, [*NAMED, *MAPS])
        )
    return read_palette(text)


def _steps_of(name: str, count: int) -> tuple[str, ...]:
    """Colours of a colour map from its beginning to its end."""
    from matplotlib import colormaps

    if not 2 <= count <= MOST_COLOURS:
        raise UsageError(f"{name}:{count} has {count} colours", hint=f"use 2 to {MOST_COLOURS}")
    steps = colormaps[name](np.linspace(0, 1, count))
    return tuple(dict.fromkeys(hex_colour(each[:3]) for each in steps))


def _learned_from(path: Path, count: int) -> tuple[str, ...]:
    """Colours of a picture, or of all pictures of a folder, each of which counts as much."""
    if not 2 <= count <= MOST_COLOURS:
        raise UsageError(
            f"{printable(path)}:{count} asks for {count} colours", hint=f"use 2 to {MOST_COLOURS}"
        )
    files = pictures_in(path, printable(path)) if path.is_dir() else [path]
    # What is transparent does not count.
    targets = [open_image(file, TargetRequest(alpha_weight=True)) for file in files]
    pixels = np.concatenate([target.seen().pixels.reshape(-1, 1, 3) for target in targets])
    weights = [np.ones(t.pixels.shape[:2]) if t.weight is None else t.weight for t in targets]
    weight = np.concatenate([w.reshape(-1, 1) / max(w.sum(), 1e-9) for w in weights])
    return learn_palette(pixels, count, weight.astype(np.float32))


def _colour(text: str) -> str | None:
    """A colour as ``#rrggbb``; None where the text is something else."""
    try:
        return hex_colour(parse_colour(text))
    except UsageError:
        return None


def read_palette(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """The colours in a file, each once, in its order, as ``#rrggbb``.

    The file is a palette of GIMP (.gpl), a text with a colour on each line, or a PNG,
    whose transparent pixels do not count. Raises InputError naming the path, and the line, for
    anything else and for fewer than 2 or more than 256 colours.
    """
    from artgen.base import decode

    where = f"palette {printable(path)}"
    data = read_regular(path, where)
    if data.startswith(png.SIGNATURE):
        try:
            samples = decode.decode_file(data, _MOST_PIXELS, where).samples
        except InputError as error:
            if "--max-pixels" in (error.hint or ""):  # which is for targets
                error.hint = f"{printable(path)}:8 learns 8 colours, of up to 64 million pixels"
            raise
        colours = _colours_of(samples, where)
    else:
        colours = [bytes.fromhex(digits) for digits in dict.fromkeys(_lines(data, where))]
    if not 2 <= len(colours) <= MOST_COLOURS:
        raise InputError(
            f"{where} must have 2 to {MOST_COLOURS} colours, got {len(colours):,}",
            hint="--palette 16 learns 16 colours from the target",
        )
    return tuple(f"#{colour.hex()}" for colour in colours)


def ground_colour(palette: Sequence[str], colour: Sequence[float]) -> str:
    """The background for shapes of a palette on a target whose best background is `colour`.

    It is the one of `palette` with the least squared error to `colour`, in sRGB. A single colour
    would not show on itself, so its background is white, or black if the colour is light.
    """
    if len(palette) == 1:
        red, green, blue = map(mul, LUMA, parse_colour(palette[0]))
        return "#000000" if red + green + blue > 0.6 else "#ffffff"
    listed = np.array([parse_colour(each) for each in palette])
    return palette[int(np.square(listed - np.asarray(colour)).sum(1).argmin())]


def _colours_of(samples: NDArray[Any], where: str) -> list[bytes]:
    """The colours of the pixels of a PNG that are not transparent, in order of appearance."""
    if samples.dtype != np.uint8:
        raise InputError(f"{where} has more than 8 bits per sample", hint="save it with 8 bits")
    flat = samples.reshape(-1, samples.shape[2])
    if flat.shape[1] in (2, 4):
        flat = flat[flat[:, -1] > 0][:, :-1]
    distinct, first = np.unique(flat, axis=0, return_index=True)
    return [bytes(np.resize(each, 3)) for each in distinct[np.argsort(first)]]


def _lines(data: bytes, where: str) -> Iterator[str]:
    """The colours on the lines of a text, six digits each."""
    hint = "use a .gpl, a colour on each line, or a PNG of few colours; FILE:8 learns of a picture"
    if len(data) > _MOST_BYTES:
        raise InputError(f"{where} is too large for a palette", hint=hint)
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{where} is neither text nor a PNG", hint=hint) from None
    gimp = bool(lines) and lines[0].strip() == _GIMP
    for number, line in enumerate(map(str.strip, lines), 1):
        comment = gimp and (number == 1 or re.match("#|[A-Za-z]+:", line))
        if not line or comment:
            continue
        text = _gimp_colour(line) if gimp else line
        text = "#" * bool(re.fullmatch("[0-9a-fA-F]{6}", text)) + text
        if (colour := _colour(text)) is None:
            raise InputError(f"{where}, line {number}: {line[:24]!r} is not a colour", hint=hint)
        yield colour[1:]


def _gimp_colour(line: str) -> str:
    """Six digits of red, green and blue in 0 to 255, perhaps followed by a name; else none."""
    levels = [int(word) for word in line.split(maxsplit=3)[:3] if re.fullmatch("[0-9]{1,3}", word)]
    return bytes(levels).hex() if len(levels) == 3 and max(levels) <= 255 else ""
