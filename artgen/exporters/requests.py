"""What a format refuses of a request, and what drawing takes from it."""

from __future__ import annotations

from collections.abc import Collection

from artgen.art import Drawn, ExportRequest
from artgen.base.errors import UsageError

TIMES = "\N{MULTIPLICATION SIGN}"

OF_VIDEOS = "start", "loop", "max_bytes", "fps", "speed", "seconds"
"""The fields that say how a video goes, beside its `film`."""

_OPAQUE = {
    **dict.fromkeys(("jpg", "jpeg"), ("a JPEG", "png", "avif")),
    **{suffix: (suffix.upper(), "webm", "webp", "apng") for suffix in ("mp4", "gif")},
    "html": ("a page", "svg", "png"),
}
"""What files without transparency are, by their suffix, and formats that keep it in full. The
pixels of a GIF are transparent or not."""


def check_transparent(suffix: str) -> None:
    """Raise UsageError where files of this suffix cannot be transparent."""
    what, *others = _OPAQUE.get(suffix.removeprefix("."), ("",))
    if what:
        hint = f"use -o {' or '.join(f'FILE.{each}' for each in others)}"
        raise UsageError(f"{what} cannot be transparent", hint=hint)


def drawn_as(request: ExportRequest) -> Drawn:
    """Return how a request wants its drawing drawn."""
    return {
        "transparent": request.transparent,
        "supersample": request.supersample,
        "device": request.device,
    }


def refuse(
    request: ExportRequest,
    what: str,
    *,
    video: bool = False,
    samples: bool = False,
    latents: Collection[str] = (),
) -> None:
    """Raise UsageError for requests that only other formats support.

    `samples` says that this one averages samples of pixels, `latents` are those of the fields
    `latent` and `walk` that it draws.
    """
    usual = [getattr(ExportRequest, each) for each in OF_VIDEOS]
    if not video and (request.film or [getattr(request, each) for each in OF_VIDEOS] != usual):
        raise UsageError(
            f"{what} is not a video format",
            hint="use -o FILE.mp4, or leave out what is for videos: --film, --start, --loop, "
            "--fps, --speed, --seconds, --max-bytes",
        )
    if not samples and request.supersample != 1:
        hint = "leave out --supersample, or use -o FILE.png"
        raise UsageError(f"{what} has no pixels to average samples for", hint=hint)
    if request.animate is not None:
        raise UsageError(f"{what} cannot be animated", hint="use -o FILE.svg")
    if request.page is not None:
        raise UsageError(f"{what} does not take a page", hint="use -o FILE.svg or -o FILE.pdf")
    for name in ("latent", "walk"):
        if getattr(request, name) is not None and name not in latents:
            raise UsageError(f"{what} cannot show a {name}", hint=f"leave out --{name}, or use PNG")
