"""Sample targets that work offline: photographs that scikit-image brings, and drawn digits."""

from __future__ import annotations

from artgen.errors import InputError, did_you_mean
from artgen.targets.digits import open_digits
from artgen.targets.image import DEFAULT_REQUEST, ImageTarget, TargetRequest, image_from_array
from artgen.targets.image_set import SetTarget

__all__ = ["SAMPLES", "open_sample"]

SAMPLES = (
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


def open_sample(rest: str, request: TargetRequest = DEFAULT_REQUEST) -> ImageTarget | SetTarget:
    """Open the sample picture called `rest`, one of `SAMPLES`, or a set of drawn `digits`.

    Raises InputError for an unknown name, or where this scikit-image came without the picture.
    """
    if rest.partition("?")[0] == "digits":
        return open_digits(rest, request)
    if rest not in SAMPLES:
        known = (*SAMPLES, "digits")
        raise InputError(f"there is no sample {rest!r}", hint=did_you_mean(rest, known))
    from skimage import data

    try:
        array = getattr(data, rest)()
    except (AttributeError, ImportError, OSError) as error:
        raise InputError(
            f"sample {rest!r} is missing from the installed scikit-image: {error}",
            hint="reinstall scikit-image, or give a picture of your own",
        ) from None
    return image_from_array(array, request, rest, source=f"sample:{rest}")
