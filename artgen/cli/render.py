"""`artgen render`: draw a saved drawing or film at any size and in any format."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from artgen.base.errors import UsageError
from artgen.base.files import check_art
from artgen.base.options import whole
from artgen.cli._completion import forms
from artgen.cli._console import say
from artgen.cli._exports import VIDEOS, check_files, check_film, fitting, write_exports
from artgen.cli._flags import (
    DEVICE,
    OVERWRITE,
    Common,
    Framing,
    Panel,
    argument,
    option,
    output_option,
    switch,
)
from artgen.cli._pipes import STDIO, from_stdin
from artgen.cli._request import of_key
from artgen.recipe.texts import parse_bytes
from artgen.values.frame import Frame, parse_frame

if TYPE_CHECKING:
    from PIL.Image import Image

    from artgen.art import Art, ExportRequest
    from artgen.output.plotter import Page


_PANEL, _CODECS = Panel("For pens and paper"), Panel("Codecs only")
_VIDEOS = Panel("Videos and films only")


@dataclass(frozen=True)
class Plotting:
    """The flags of drawings for pens."""

    page: str | None = _PANEL.option(
        "PAPER",
        "Draw lines for pens on this paper: A0 to A6, letter, legal, tabloid or "
        "WIDTHxHEIGHT in mm. Default: A4, with any other option of this group.",
    )
    margin: float | None = _PANEL.option("MM", "Margin around the drawing. Default: 15.", min=0)
    pens: str | None = _PANEL.option(
        "N|COLOURS|FILE",
        "Number of pens, or their colours as for --palette of artgen fit. Default: one black pen.",
    )
    pen_width: float | None = _PANEL.option("MM", "Line width of the pens. Default: 0.3.")
    fill: Literal["none", "hatch", "solid"] | None = _PANEL.option(
        None,
        "How to fill parts: none (outlines only), hatch (lines, closer where darker) or "
        "solid (no gaps). Default: hatch.",
    )
    spacing: float | None = _PANEL.option(
        "MM", "Smallest distance between hatch lines. Default: 0.5.", "--hatch-spacing"
    )
    paper: str | None = _PANEL.option("COLOUR", "Colour of the paper. Default: white.")

    def sheet(self) -> Page | None:
        """The page that they ask for, None without any. Raises UsageError, InputError."""
        asked = {key: value for key, value in vars(self).items() if value is not None}
        if not asked:
            return None

        from artgen.output.plotter import named_page
        from artgen.targets import hex_colour, parse_colour, parse_palette

        if self.pens is not None:
            count = whole(self.pens)
            asked["pens"] = parse_palette(self.pens) if count is None else count
        if self.paper is not None:
            asked["paper"] = hex_colour(parse_colour(self.paper))
        return named_page(asked.pop("page", "A4"), **asked)


def render(
    art: Path = argument("ART", "The .art file to draw; - reads standard input."),
    outputs: list[Path] | None = output_option(
        "FILE",
        "Output file. The suffix chooses the format; - is standard output, as PNG, -.svg as SVG "
        "and so on. Repeatable. "
        "Default: in the current folder, named like ART: a .png, or an .mp4 for a video.",
    ),
    size: str | None = option(
        "PX|WxH|CM|A3|2x",
        "Long side in pixels, width and height such as 1080x1080, a length such as 30cm, paper, or "
        "2x the fitting size. Default: the fitting size; 336 for --latent and --walk.",
    ),
    transparent: bool = switch("Leave out the background."),
    supersample: int = option("K", "Average K x K samples per pixel.", min=1, max=8, default=1),
    device: str = DEVICE,
    animate: float | None = option(
        "SECONDS",
        "For an .svg: animate it. The shapes appear one by one within this time.",
        min=0.1,
        max=3600,
    ),
    latent: str | None = _CODECS.option(
        "PLACE",
        "Draw one point of the latent space: picture:N, label:CLASS, mean, "
        "random:SEED, or numbers. @CLASS gives the decoder another class.",
    ),
    walk: str | None = _CODECS.option(
        "WALK",
        "Draw a path through the latent space, as a video or a .png strip: "
        "linear, spherical (also linear:N,N,...), axis:K, labels.",
    ),
    seconds: float | None = _VIDEOS.option(
        "SECONDS",
        "Length of the video. Default: the film's, the sound's; 8 where there is neither.",
        min=0.1,
        max=3600,
    ),
    at: float | None = _VIDEOS.option(
        "SECONDS", "Draw the frame of a film at this time. Default: its still.", min=0
    ),
    fps: float | None = _VIDEOS.option(
        "N", "Frames per second. Default: the film's; 30 for a walk or parts.", min=0.1, max=240
    ),
    speed: float = _VIDEOS.option(
        "X",
        "Playback speed of a film. 0.25 is slow motion, with new frames in between.",
        min=0.001,
        max=1000,
        default=1.0,
    ),
    start: str | None = _VIDEOS.option(
        "parts|blank|photo[=FILE]",
        "Show how the parts appear, within --seconds, even if there is a film; or start a film "
        "with the background alone, or with a photo. Default FILE: the target, if it is a sample "
        "or still lies beside the .art file or in the current folder.",
    ),
    film: str | None = _VIDEOS.option(
        "FORM[=FILE]",
        "Show something else than the progress: side-by-side, wipe, centres, depth, fly-in, zoom, "
        "zoom-into, generations, views, sway, metamorphosis, music, atlas, jpeg, levels or one of "
        "a plugin; see the guide to films. side-by-side, wipe and jpeg need the target, as --start "
        "photo does, or FILE: another picture or .art file; music needs a sound.",
        complete=forms,
    ),
    loop: bool = of_key("loop", _VIDEOS),
    max_bytes: str | None = of_key("max_bytes", _VIDEOS),
    overwrite: bool = OVERWRITE,
    *,
    plotting: Plotting,
    framing: Framing,
    common: Common,
) -> None:
    """Draw a saved drawing or film at any size.

    Examples:
        artgen render photo.art -o poster.png --size 4096
        artgen render photo.art -o photo.svg -o photo.html
        artgen render photo.art -o plot.svg --page A4 --pens 3
        artgen render photo.json -o again.art
    """
    if str(art) != STDIO:
        check_art(art)
    registry = common.registry()
    if latent is not None and walk is not None:
        raise UsageError("--latent and --walk were both given", hint="leave one of them out")
    check_film(film, seconds=seconds, speed=None if speed == 1 else speed)
    if str(art) == STDIO:
        art = from_stdin(".art")
    moving = any((walk, start, film, loop, max_bytes, fps, seconds, speed != 1))
    usual = Path(art.stem + (".mp4" if moving else ".png"))
    files = list(dict.fromkeys(outputs or [usual]))
    times = re.fullmatch(r"(\d+(?:\.\d+)?)[x\N{MULTIPLICATION SIGN}]", size or "", re.ASCII)
    fixed = None if times else size
    frame = parse_frame(fixed, framing.crop, framing.crop_at, framing.border, framing.dpi)
    framing.check(frame.aspect)
    photos = [Path(name) for text in (start, film) if (name := (text or "").partition("=")[2])]
    inputs = [art, *photos, Path(plotting.pens or art)]
    check_files(files, registry, as_json=common.as_json, overwrite=overwrite, inputs=inputs)

    common.load("artgen.display.views")

    from artgen.animation.forms import check_clip, find_form
    from artgen.art import ExportRequest, load
    from artgen.exporters.pairs import SHARP
    from artgen.runs import resolve_device

    sheet = plotting.sheet()
    loaded = load(art, registry=registry)
    single = latent is not None or walk is not None
    suffixes = {file.suffix.lower().removeprefix(".") for file in files}
    known = transparent or common.quiet or suffixes <= {*VIDEOS, "html", "art", "jpg", "jpeg"}
    if loaded.recipe.output.transparent and not known:
        say("note: the drawing was fitted without its background: --transparent leaves it out")
    if times:
        frame = replace(frame, size=None, inches=None)
        own = loaded.picture_canvas() if single else loaded.canvas(frame)
        frame = replace(frame, size=round(float(times[1]) * max(own.width, own.height)))
    elif size and framing.crop is None and not common.quiet and loaded.drawing.subject is None:
        _say_what_is_cut(size, frame, loaded)
    sharp = frame.size or (SHARP if "html" in suffixes else None)
    form, paired = film, False
    photo: Image | None = None
    if film is not None and (found := find_form(film, registry)).photo:
        form, sharper = film.partition("=")[0], replace(frame, size=sharp)
        paired = found.pairs and film.lower().endswith(".art")
        if loaded.recipe.clip is not None and VIDEOS & suffixes and not paired:
            check_clip(film, found)
        photo = _photo(f"--film {form}", film, loaded, art.parent, sharper, paired)
    beginning = (start or "").partition("=")[0]
    if start and beginning == "photo" and start != "photo=":
        photo = _photo("--start photo", start, loaded, art.parent, frame)
    elif start not in (None, "", "blank", "parts"):
        hint = "use parts, blank, photo or photo=FILE"
        raise UsageError(f"--start {start} is unknown", hint=hint)
    if at is not None and VIDEOS & suffixes:
        raise UsageError("--at draws a still, not a video", hint="leave out --at")
    if at is not None and film is not None and not loaded.has_film:
        raise UsageError(
            "--at is a moment of a film in the file, not of --film", hint="leave out --at"
        )
    loaded = loaded if at is None else loaded.at(at)
    request = ExportRequest(
        frame if frame.aspect or frame.inches else frame.size,
        transparent,
        supersample,
        resolve_device(device),
        animate,
        latent=latent,
        walk=walk,
        seconds=seconds,
        fps=fps,
        speed=speed,
        page=sheet,
        dpi=framing.dpi_of(size or framing.crop),
        start=cast('Literal["blank", "parts", "photo"] | None', beginning or None),
        loop=loop,
        max_bytes=parse_bytes(max_bytes),
        photo=photo,
        other=photo if paired else None,
        film=form,
    )
    asked = fitting(request, files, registry)
    write_exports(dict.fromkeys(files, loaded), asked, registry, common, more={"art": _whole})
    drawn = loaded.picture_canvas(frame.size) if single else loaded.canvas(frame)
    facts = {"art": art, "primitive": loaded.drawing.primitive}
    common.answer({**facts, "width": drawn.width, "height": drawn.height, "outputs": files})


def _whole(art: Art, request: ExportRequest) -> bytes:
    """The `.art` file, which has no size. Raises UsageError."""
    request.allow()
    return art.to_bytes()


def _say_what_is_cut(size: str, frame: Frame, art: Art) -> None:
    """Say which part of the drawing a size of another shape leaves out, if any."""
    width, height = art.drawing.width, art.drawing.height
    _, _, wide, high = frame.window(width, height)
    cut, side = max((1 - wide / width, "width"), (1 - high / height, "height"))
    if cut > 0.005:
        turned = replace(frame, aspect=frame.aspect and frame.aspect[::-1]).window(width, height)
        more = ", and sides swapped more" if turned[2] * turned[3] > wide * high else ""
        off = f"{size} cuts {100 * cut:.0f} % of the {side} off"
        say(f"note: {off}: --fit shows all in a border{more}")


def _photo(
    flag: str, text: str, art: Art, folder: Path, frame: Frame, paired: bool = False
) -> Image:
    """Open the picture or drawing of a flag's ``NAME=FILE``, or the target of the drawing again.

    A drawing that is `paired` is as high as this one, whatever its shape.

    Raises UsageError, InputError.
    """
    from PIL.Image import fromarray

    from artgen.art import load
    from artgen.registry import default
    from artgen.runs import open_photo

    registry = art.registry or default()
    file, canvas = text.partition("=")[2], art.canvas(frame)
    side, large = (max(c.width, c.height) for c in (canvas, frame.place(art.drawing.canvas).whole))
    # What a crop leaves out is read too, so that what it shows is sharp.
    size = max(side, min(large, int(art.recipe.target.max_pixels**0.5)))
    if file.lower().endswith(".art"):
        check_art(Path(file))
        other = load(Path(file), registry=registry)
        if paired:
            size = round(canvas.height * max(1.0, other.canvas().width / other.canvas().height))
        return fromarray(other.render(size))
    return fromarray(open_photo(art.recipe, registry, folder, size, file or None, flag=flag))
