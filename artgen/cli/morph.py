"""`artgen morph`: move the parts of one saved drawing into those of another."""

from __future__ import annotations

from pathlib import Path

from artgen.base.files import check_art
from artgen.cli._console import load_module, print_json
from artgen.cli._exports import check_files, write_exports
from artgen.cli._flags import DEVICE, OVERWRITE, Common, argument, option, switch


def morph(
    first: Path = argument("A", "First drawing, an .art file."),
    second: Path = argument("B", "Second drawing, an .art file of the same primitive."),
    outputs: list[Path] | None = option(
        "FILE",
        "Output file: a video, or .art to keep the film. Repeatable. "
        "Default: A-B.mp4 in the current folder.",
        "--output",
        "-o",
    ),
    seconds: float = option("SECONDS", "Duration of the morph.", min=0.1, max=3600, default=4.0),
    hold: float = option(
        "SECONDS", "How long each drawing is held still.", min=0, max=3600, default=1.0
    ),
    loop: bool = switch("Return to A at the end.", "--loop"),
    size: str | None = option(
        "PX|WxH", "Long side in pixels, or both sides. Default: the fitting size of A."
    ),
    fps: float = option("N", "Frames per second of a video.", min=0.1, max=240, default=30.0),
    device: str = DEVICE,
    overwrite: bool = OVERWRITE,
    *,
    common: Common,
) -> None:
    """Morph one drawing into another: its parts move to where the other's are.

    Examples:
        artgen morph one.art other.art -o morph.mp4 --loop
    """
    for art in (first, second):
        check_art(art)
    registry = common.registry()
    files = list(dict.fromkeys(outputs or [Path(f"{first.stem}-{second.stem}.mp4")]))
    check_files(files, registry, overwrite=overwrite, inputs=(first, second), more=("art",))

    load_module("artgen.animation.morph", quiet=common.quiet)

    from artgen.animation.morph import morph as morphed
    from artgen.art import ExportRequest, load
    from artgen.recipe import FileReference
    from artgen.runs import resolve_device
    from artgen.values.frame import parse_pixels

    one, other = load(first, registry=registry), load(second, registry=registry)
    made = morphed(
        one,
        other,
        seconds=seconds,
        hold=hold,
        loop=loop,
        fps=fps,
        names=(FileReference.of(first, "art"), FileReference.of(second, "art")),
    )
    request = ExportRequest(size and parse_pixels(size), device=resolve_device(device))
    whole = {"art": lambda art, request: art.to_bytes()}
    write_exports(files, made, request, registry, common, more=whole)
    if common.as_json:
        canvas, film = made.canvas(request.size), made.require_film()
        print_json(
            {
                "first": str(first),
                "second": str(second),
                "primitive": made.drawing.primitive,
                "width": canvas.width,
                "height": canvas.height,
                "duration": film.duration,
                "outputs": [str(file) for file in files],
            }
        )
