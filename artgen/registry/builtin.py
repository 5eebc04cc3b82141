"""What artgen offers besides primitives, registered as that of any plugin is."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from artgen.hookspecs import Spec, hookimpl

CLIPS = ("*.gif", "*.webp", "*.apng", "*.mp4", "*.m4v", "*.mov", "*.webm", "*.mkv")
PICTURES = ("*.png", "*.jpg", "*.jpeg", "*.bmp", "*.tif", "*.tiff")

PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAADCAAAAACRn/EaAAAAF0lEQVR42mNkEBERYQwQERFhCRAREQEACTgBW9FM8BwA"
    "AAAASUVORK5CYII="
)
"""A picture of 4 x 3 gray pixels."""
GIF = b64decode(
    "R0lGODlhAgACAIEAAAAAAP///wAAAAAAACH5BAAKAAAALAAAAAACAAIAAAgHAAMAABAgIAAh+QQBCgACACwAAAAAAgACAIEA"
    "AAD///8AAAAAAAAIBwABBAgAICAAOw=="
)
"""An animation of two frames of 2 x 2 pixels."""
FRAMES = {"1.png": PNG, "2.png": PNG}


ENGINES = {
    "gradient": ("Gradient descent on all parts at once", "engines.gradient.engine:GradientEngine"),
    "climb": ("Hill climbing, shape by shape", "families.shape.climb:ClimbEngine"),
    "genetic": ("Genetic algorithm on whole pictures", "engines.genetic.engine:GeneticEngine"),
}
"""Summary and place in artgen, by name, as in the tables below."""

LOSSES = {
    "mse": ("Mean squared error", "losses:mse"),
    "l1": ("Mean absolute error", "losses:l1"),
    "exponential": ("Mean of e^|error| - 1", "losses:exponential"),
    "rmse": ("Root of the mean squared error", "losses:rmse"),
    "cross-entropy": ("Cross-entropy of classes, for labelled points", "losses:cross_entropy"),
}

_FILM = "A film, or a walk through the latents of a codec"
EXPORTERS = {
    "png": ("A still with its recipe inside", "exporters:export_png"),
    "jpg": ("A still in a small file, with its recipe", "exporters:export_jpg"),
    "jpeg": ("The same as jpg", "exporters:export_jpg"),
    "avif": ("A still in a smaller file, with its recipe", "exporters:export_avif"),
    "tif": ("A still of any size, with its recipe", "exporters:export_tiff"),
    "tiff": ("The same as tif", "exporters:export_tiff"),
    "mp4": (_FILM, "exporters:export_mp4"),
    "webm": (_FILM, "exporters:export_webm"),
    "gif": (_FILM, "exporters:export_gif"),
    "webp": (_FILM, "exporters:export_webp"),
    "apng": (_FILM, "exporters:export_apng"),
    "svg": ("Shapes as vectors, with their recipe inside", "exporters:export_svg"),
    "html": ("A page that zooms without end", "exporters:export_html"),
    "json": ("Shapes as data, with their recipe", "exporters:export_json"),
    "pdf": ("Filled shapes, or lines for pens on paper", "exporters:export_pdf"),
    "eps": ("Filled opaque shapes, for print", "exporters:export_eps"),
}

RUNS = {
    "picture": ("A drawing of one picture", "runs.kinds.picture.run:PictureRun"),
    "clip": ("A film of a clip, frame by frame", "runs.kinds.clip.run:ClipRun"),
    "tiles": ("A drawing of a large picture, in tiles", "runs.kinds.tiles.run:TiledRun"),
    "samples": ("A curve or labelled points", "runs.kinds.data.run:SamplesRun"),
    "set": ("A codec of a set of pictures", "runs.kinds.data.run:SamplesRun"),
}

TARGETS = {
    # Any other file may be a picture: its content decides.
    "image": ("A picture file", "targets:open_image", (*PICTURES, "*"), PNG),
    "clip": ("A video, or an animated GIF, WebP or PNG", "targets:open_moving", CLIPS, GIF),
    "frames": ("A folder of pictures as a clip", "targets:open_frames", (), FRAMES),
}
"""With patterns of file names, and an example, where there are such."""


def _hook(offered: Mapping[str, tuple[Any, ...]]) -> Callable[[], list[Spec]]:
    """Return a hook that offers what is in a table."""

    @hookimpl
    def specs() -> list[Spec]:
        return [
            Spec(name, summary, f"artgen.{place}", *more)
            for name, (summary, place, *more) in offered.items()
        ]

    return specs


artgen_engines = _hook(ENGINES)
"""The engines in `artgen.engines` and of single families."""
artgen_losses = _hook(LOSSES)
"""The losses in `artgen.losses`."""
artgen_targets = _hook(TARGETS)
"""The schemes and kinds of files in `artgen.targets`."""
artgen_exporters = _hook(EXPORTERS)
"""The file formats in `artgen.exporters`."""
artgen_runs = _hook(RUNS)
"""The kinds of run in `artgen.runs`."""
