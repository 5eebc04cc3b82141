"""`artgen morph`: move the parts of one saved drawing into those of another."""

from __future__ import annotations

from pathlib import Path

from artgen.base.errors import UsageError
from artgen.base.files import check_art
from artgen.cli._exports import VIDEOS, check_files, check_length, fitting, suffix_of, write_exports
from artgen.cli._flags import DEVICE, OVERWRITE, Common, argument, option, output_option, switch


def morph(
    first: Path = argument("A", "First drawing, an .art file."),
    second: Path = argument("B", "Second drawing, an .art file of the same primitive."),
    others: list[Path] | None = argument(
        "C", "Further drawings, to which the film goes on.", default=None
    ),
    outputs: list[Path] | None = output_option(
        "FILE",
        "Output file: a video, or .art to keep the film. Repeatable. "
        "Default: A-B.mp4 in the current folder.",
    ),
    seconds: float | None = option(
        "SECONDS", "Duration of the morph. Default: 4.", min=0.1, max=3600
    ),
    hold: float | None = option(
        "SECONDS", "How long each drawing is held still. Default: 1.", min=0, max=3600
    ),
    loop: bool = switch("Return to A at the end."),
    size: str | None = option(
        "PX|WxH", "Long side in pixels, or both sides. Default: the fitting size of A."
    ),
    fps: float = option("N", "Frames per second of a video.", min=0.1, max=240, default=30.0),
    music: str | None = option(
        "SOUND",
        "Move to a sound, as artgen render --film music=SOUND does: each drawing is reached on a "
        "beat, and the sound is in the video.",
    ),
    device: str = DEVICE,
    overwrite: bool = OVERWRITE,
    *,
    common: Common,
) -> None:
    """Morph one drawing into another: its parts move to where the other's are.

    Examples:
        artgen morph one.art other.art -o morph.mp4 --loop
        artgen morph one.art other.art third.art --music song.wav
    """
    paths = [first, second, *(others or ())]
    for art in paths:
        check_art(art)
    registry = common.registry()
    files = list(dict.fromkeys(outputs or [Path(f"{first.stem}-{second.stem}.mp4")]))
    if music is not None and all(file.suffix.lower() != ".art" for file in files):
        check_length("--music ", music, seconds=seconds, hold=hold)
    inputs = [*paths, Path(music or first)]
    check_files(files, registry, as_json=common.as_json, overwrite=overwrite, inputs=inputs)
    kinds = set(map(suffix_of, files))
    if still := kinds - VIDEOS - {"html", "art"}:
        hint = "write an .art file, then artgen render FILE.art --at 3 -o FILE.png"
        raise UsageError(f"a morph is no {min(still).upper()}", hint=hint)
    if music is not None and kinds == {"art"}:
        raise UsageError("--music is for videos", hint="use -o FILE.mp4, or leave it out")

    common.load("artgen.animation.morph")

    from artgen.animation.morph import morph as morphed
    from artgen.art import ExportRequest, load
    from artgen.recipe import FileReference
    from artgen.runs import resolve_device
    from artgen.values.frame import parse_pixels

    made = morphed(
        *(load(path, registry=registry) for path in paths),
        seconds=4.0 if seconds is None else seconds,
        hold=1.0 if hold is None else hold,
        loop=loop,
        fps=fps,
        names=[FileReference.of(path, "art") for path in paths],
    )
    request = ExportRequest(
        size and parse_pixels(size),
        device=resolve_device(device),
        film=None if music is None else f"music={music}",
        fps=fps if music else None,
    )
    write_exports(dict.fromkeys(files, made), fitting(request, files, registry), registry, common)
    canvas, duration = made.canvas(request.size), made.require_film().duration
    named = {"first": first, "second": second, **({"others": others} if others else {})}
    drawn = {"width": canvas.width, "height": canvas.height, "duration": duration}
    common.answer({**named, "primitive": made.drawing.primitive, **drawn, "outputs": files})
