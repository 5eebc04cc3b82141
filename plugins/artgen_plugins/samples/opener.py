"""The target ``sample:NAME``: a photograph, a drawn picture, a set, a clip."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artgen.errors import InputError, reading
from artgen.targets import (
    DEFAULT_REQUEST,
    LUMA,
    ImageTarget,
    SourceOptions,
    Target,
    TargetRequest,
    content_hash,
    image_from_array,
    parse_colour,
)
from artgen_plugins.samples import CLIPS, GENERATED, SETS, SUBJECTS

_SUBJECT_SIDE, _LARGEST_SUBJECT = 768, 4096

_TONES = "dark", "light"
_MARGIN = "margin"
"""How much wider than it is a picture is made on each side, as a share of the shorter side."""


def open_sample(rest: str, request: TargetRequest = DEFAULT_REQUEST) -> Target:
    """Open the sample called `rest`, one of `NAMES` with its options.

    Raises InputError for an unknown option, or where this scikit-image came without the picture.
    """
    name = rest.partition("?")[0]
    if name in SETS:
        from artgen_plugins.samples.sets import open_set

        return open_set(rest, request)
    if name in CLIPS:
        from artgen_plugins.samples.clips import open_clip

        return open_clip(rest, request)
    if name in SUBJECTS:
        return _open_subject(rest, request)
    if name in GENERATED:
        from artgen_plugins.samples import generated

        SourceOptions("sample", rest, ())  # refuses any
        # Another machine may round otherwise: what is computed is what is hashed.
        digest = content_hash(f"sample:{name} 1")
        pixels = getattr(generated, name)()
        return image_from_array(pixels, request, name, source=f"sample:{name}", sha256=digest)
    options = SourceOptions("sample", rest, (*_TONES, _MARGIN))
    pixels = _toned(_widened(photograph(options.what), options), options)
    return image_from_array(pixels, request, options.what, source=options.source)


def _open_subject(rest: str, request: TargetRequest) -> ImageTarget:
    """A subject drawn from ``NAME?seed=0``, as large as it is fitted, or larger."""
    options = SourceOptions("sample", rest, ("seed", *_TONES))
    seed = options.number("seed", 0, 0, 2**63 - 1)
    side = min(max(request.size or 0, _SUBJECT_SIDE), _LARGEST_SUBJECT)
    tones = "".join(f" {key} {options.text(key, '')}" for key in _TONES if key in options)
    digest = content_hash(f"{options.what} {seed} 1{tones}")
    pixels = _toned(_subject(options.what, side, seed), options)
    return image_from_array(pixels, request, options.what, source=options.source, sha256=digest)


@lru_cache(len(SUBJECTS))
def _subject(name: str, side: int, seed: int) -> NDArray[np.uint8]:
    """The drawn subject, kept because a gallery opens the same ones again and again."""
    from artgen_plugins.samples.subjects import draw_subject

    pixels = draw_subject(name, side, seed)
    pixels.flags.writeable = False
    return pixels


def _toned(pixels: Any, options: SourceOptions) -> Any:
    """The picture in two tones, where options name them: its black `dark`, its white `light`.

    By luma, linear between both, in encoded values. What is transparent stays so. Raises UsageError
    for what is no colour.
    """
    if not any(key in options for key in _TONES):
        return pixels
    dark, light = (
        np.array(parse_colour(options.text(key, default)))
        for key, default in zip(_TONES, ("black", "white"), strict=True)
    )
    levels = np.asarray(pixels)
    gray = levels.astype(np.float64) / (255 if levels.dtype == np.uint8 else 1)
    luma = gray[..., :3] @ LUMA if gray.ndim == 3 else gray
    toned = dark + luma[..., None] * (light - dark)
    if gray.ndim == 3:
        toned = np.concatenate([toned, gray[..., 3:]], 2)
    return np.rint(255 * toned).astype(np.uint8)


def _widened(pixels: Any, options: SourceOptions) -> Any:
    """The picture with a `margin` all around, in the colours of its edge."""
    levels = np.asarray(pixels)
    by = round(options.decimal(_MARGIN, 0.0, 0.0, 1.0) * min(levels.shape[:2]))
    return np.pad(levels, ((by, by), (by, by), (0, 0))[: levels.ndim], "edge") if by else pixels


@lru_cache(4)
def photograph(name: str) -> Any:
    """A photograph of scikit-image, kept because many are opened again; nobody writes into it."""
    from skimage import data

    file = next(Path(data.__file__).parent.glob(f"{'chelsea' if name == 'cat' else name}.*g"), None)
    try:
        with reading(f"sample {name!r}"):
            # Functions of skimage load SciPy for 0.2 s; only that of the horse changes the pixels.
            if file is None or name == "horse":
                return getattr(data, name)()
            with Image.open(file) as image:
                return np.asarray(image)
    except (AttributeError, ImportError, OSError) as error:
        raise InputError(
            f"sample {name!r} is missing from the installed scikit-image: {error}",
            hint="reinstall scikit-image, or give a picture of your own",
        ) from None
