"""Samples that work offline: photographs of scikit-image, drawn pictures and sets, a clip."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.errors import InputError, did_you_mean, reading
from artgen.targets._generated import GENERATED
from artgen.targets._source import SourceOptions, content_hash
from artgen.targets.clip import ClipTarget
from artgen.targets.clip_sample import CLIPS, open_clip_sample
from artgen.targets.digits import CHARACTERS, open_digits
from artgen.targets.image import DEFAULT_REQUEST, ImageTarget, TargetRequest, image_from_array
from artgen.targets.image_set import SetTarget
from artgen.targets.subjects import SUBJECTS, draw_subject

_PHOTOGRAPHS = (
    "astronaut",
    "brick",
    "camera",
    "cat",
    "cell",
    "checkerboard",
    "chelsea",
    "clock",
    "coffee",
    "coins",
    "colorwheel",
    "grass",
    "gravel",
    "horse",
    "hubble_deep_field",
    "immunohistochemistry",
    "logo",
    "microaneurysms",
    "moon",
    "page",
    "retina",
    "rocket",
    "shepp_logan_phantom",
    "text",
)
"""The functions of `skimage.data` whose pictures need no download."""

_SUBJECT_SIDE, _LARGEST_SUBJECT = 768, 4096

SAMPLES = tuple(sorted((*_PHOTOGRAPHS, *GENERATED, *SUBJECTS)))
"""The names of all sample pictures."""


def open_sample(
    rest: str, request: TargetRequest = DEFAULT_REQUEST
) -> ImageTarget | SetTarget | ClipTarget:
    """Open the sample called `rest`: one of `SAMPLES`, drawn `digits` or `letters`, or a clip.

    Raises InputError for an unknown name, or where this scikit-image came without the picture.
    """
    name = rest.partition("?")[0]
    if name in CHARACTERS:
        return open_digits(rest, request)
    if name in ("clip", *CLIPS):
        return open_clip_sample(rest, request)
    check_sample(rest)
    if name in SUBJECTS:
        return _open_subject(rest, request)
    source = f"sample:{rest}"
    if rest in GENERATED:
        drawn = image_from_array(GENERATED[rest](), request, rest, source=source)
        # Another machine may round otherwise: what is computed is what is hashed.
        return replace(drawn, sha256=content_hash(f"{source} 1"))
    return image_from_array(_photograph(rest), request, rest, source=source)


def _open_subject(rest: str, request: TargetRequest) -> ImageTarget:
    """A subject drawn from ``NAME?seed=0``, as large as it is fitted, or larger."""
    options = SourceOptions("sample", rest, ("seed",))
    seed = options.number("seed", 0, 0, 2**63 - 1)
    side = min(max(request.size or 0, _SUBJECT_SIDE), _LARGEST_SUBJECT)
    pixels = _subject(options.what, side, seed)
    drawn = image_from_array(pixels, request, options.what, source=options.source)
    return replace(drawn, sha256=content_hash(f"{options.what} {seed} 1"))


@lru_cache(len(SUBJECTS))
def _subject(name: str, side: int, seed: int) -> NDArray[np.uint8]:
    """The drawn subject, kept because a gallery opens the same ones again and again."""
    pixels = draw_subject(name, side, seed)
    pixels.flags.writeable = False
    return pixels


def check_sample(rest: str) -> None:
    """Raise InputError where there is no sample of this name; what follows a ``?`` is ignored."""
    known = (*SAMPLES, "clip", *CLIPS, *CHARACTERS)
    if rest.partition("?")[0] not in known:
        raise InputError(f"there is no sample {rest!r}", hint=did_you_mean(rest, known))


def _photograph(name: str) -> Any:
    from skimage import data

    try:
        with reading(f"sample {name!r}"):
            return getattr(data, name)()
    except (AttributeError, ImportError, OSError) as error:
        raise InputError(
            f"sample {name!r} is missing from the installed scikit-image: {error}",
            hint="reinstall scikit-image, or give a picture of your own",
        ) from None
