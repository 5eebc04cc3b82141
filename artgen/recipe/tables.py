"""The tables of a recipe. Each key is declared here, and nowhere else; see `artgen.recipe.keys`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path, PureWindowsPath
from typing import Any, Literal

from artgen.base.errors import UsageError
from artgen.base.files import file_hash
from artgen.recipe.keys import (
    CLIPS,
    CODECS,
    JUDGE,
    LONG,
    MAKE,
    WHERE,
    WRITE,
    Check,
    Wrong,
    key,
)
from artgen.recipe.table import Misfit, OpenTable, Table
from artgen.recipe.texts import MOST_PARTS, outside, parse_bytes, parse_count
from artgen.values.frame import (
    LARGEST,
    Frame,
    is_focus,
    is_on_paper,
    paper_sides,
    parse_aspect,
    parse_focus,
    parse_frame,
    parse_pixels,
    parse_place,
)

SCHEMA: Literal[2] = 2

MOST_STEPS = 1_000_000_000
MOST_STAGES = 100
MOST_COLOURS = 256
MOST_KEYS = 1000
MOST_REVISIONS = 1000

LONGEST_TITLE = 80
LONGEST_TEXT = 400

_LOSS_FILE = re.compile(r'(?<![^+*])(\s*[\w/.-]+:)(?!\w\w+:)(\s*[^+*"\s][^+*"]*)')
"""A loss and the file of its picture in a mixture, such as ``texture:wood.jpg``; not a
``texture:sample:brick``."""

_QUOTED_FILE = re.compile(
    r'(?<![\w/.-])([\w/.-]+:\s*")(?!\w\w+:)([^"]+\.(?:avif|bmp|gif|ico|jpe?g|png|tiff?|webp))(?="(?!\s*@))',
    re.I,
)
"""The same in quotes, ``texture:"oak+ash.jpg"``: by its suffix it is told from a text."""

_TEXT_FILE = re.compile(r'("[^"]*"\s*@)([^+*"]+)')
"""A text in a mixture and its file, such as ``text:"a horse"@clip.safetensors``."""

Precision = Literal["fp32", "fp16", "int8", "auto"]
VideoFormat = Literal["mp4", "webm", "gif", "webp", "apng"]
Quality = Literal["draft", "good", "best"]

_PATH = "str | os.PathLike[str] | None"
_COLOUR = "str | Sequence[float]"


def _text(parse: Callable[[str], object]) -> Check:
    """Check that a text can be parsed, and keep it."""

    def check(value: Any, before: Mapping[str, Any]) -> Any:
        if isinstance(value, str):
            try:
                parse(value)
            except UsageError as error:
                raise Wrong(f"is wrong: {error}") from None
        return value

    return check


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def _as_file(value: object, before: Mapping[str, object]) -> Any:
    """Take a text for the name of a file."""
    return {"name": value} if isinstance(value, str) else value


def _focus(value: object, before: Mapping[str, object]) -> object:
    if isinstance(value, str) and is_focus(value):
        return _text(parse_focus)(value, before)
    return _as_file(value, before)


def _view_target(value: object, before: Mapping[str, object]) -> object:
    named = isinstance(value, str) and re.match(r"\w[\w-]+:", value)
    return value if named else _as_file(value, before)


def _alpha(value: object, before: Mapping[str, object]) -> object:
    if isinstance(value, bool) or (isinstance(value, int | float) and 0 < value <= 100):
        return value if isinstance(value, bool) else float(value)
    raise Wrong("must be true, false, or a number above 0 and at most 100")


def _colour(value: Any, before: Mapping[str, Any]) -> Any:
    """Take three numbers for the text that separates them with commas."""
    if not _is_list(value):
        return value
    if len(value) != 3 or not all(isinstance(each, int | float) for each in value):
        raise Wrong("must be a CSS name, #rrggbb, or three numbers in 0 to 1")
    return ",".join(map(str, value))


def _palette(value: Any, before: Mapping[str, Any]) -> Any:
    if listed := _is_list(value):
        value = [_colour(each, before) for each in value]
        listed = all(isinstance(each, str) for each in value)
    size = value if type(value) is int else len(value) + 1 if listed else 0
    if 2 <= size <= MOST_COLOURS + listed:
        return tuple(value) if listed else value
    raise Wrong("must be a number from 2 to 256, or a list of 1 to 256 colours")


def _count(value: object, before: Mapping[str, object]) -> object:
    if value == "auto" or (type(value) is int and 1 <= value <= MOST_PARTS):
        return value
    raise Wrong("must be a number from 1 to 10000000, or auto")


def _history(value: object, before: Mapping[str, object]) -> object:
    if type(value) is int and value == 1:
        raise Wrong("must be 0, or at least 2")
    return value


def _size(value: object, before: Mapping[str, object]) -> object:
    if type(value) is int and 1 <= value <= LARGEST:
        return value
    if isinstance(value, str) and ("x" in value or is_on_paper(value)):
        return _text(parse_frame)(value, before)
    what = f"a long side from 1 to {LARGEST} pixels, WIDTHxHEIGHT, 30cm, or paper such as A3"
    raise Wrong(f"must be {what}")


def _replanned(value: Any, before: Mapping[str, Any]) -> Any:
    pairs: list[Any] = [None]
    if _is_list(value):
        pairs = [*value, [before.get("steps"), MOST_STEPS + 1]]
    last = 0
    for pair in pairs:
        numbers = _is_list(pair) and len(pair) == 2 and all(type(n) is int for n in pair)
        if not (numbers and last < pair[0] < pair[1] <= MOST_STEPS + 1):
            raise Wrong("must be pairs of increasing steps below `steps` and larger totals")
        last = pair[0]
    return tuple(tuple(pair) for pair in value)


def _words(longest: int) -> Check:
    def check(value: Any, before: Mapping[str, Any]) -> Any:
        if not isinstance(value, str):
            return value
        if not (value.isprintable() and value.strip() and len(value) <= longest):
            raise Wrong(f"must be one line of at most {longest} characters")
        return value.strip()

    return check


class FileReference(Table):
    """A file known by its name and the SHA-256 of its bytes, never by an absolute path."""

    called = "the path of a file"
    name: str = key()
    sha256: str | None = key(default=None)
    licence: str | None = key(default=None)

    @classmethod
    def of(cls, path: Path, what: str) -> FileReference:
        """The reference of a file, which errors call `what`. Raises InputError."""
        return cls(name=path.name, sha256=file_hash(path, what))


class TargetTable(Table):
    """The target: `sample:NAME` or a file, and how it is read."""

    source: str = key(default="sample:astronaut")
    """A picture (AVIF, BMP, GIF, ICO, JPEG, PNG, TIFF, WebP), an `https://` URL of one, a CSV
    file, a clip, a set (folder, IDX, `.npz`), `frames:FOLDER`, `sample:NAME`, `blank:WxH`,
    `curve:EXPR` or `points:NAME`. Default: `sample:astronaut`."""
    sha256: str | None = key(default=None)
    """Hash of the file; another under the same name is refused. Default: any."""
    size: int | None = key(default=None, low=1, keyword="int | str | None").flagged(
        JUDGE,
        "PX|WxH",
        "Size of the target while fitting: its long side, or both sides, to which it is "
        "cropped. On paper (30cm, A3), that of the PNG. Default: its own, at most 768, or more for "
        "many parts.",
        type=str,
        usual=True,
    )
    """Long side while fitting, in pixels; of the frames of plots and maps; of the pictures of a
    set. Default: the picture's own, at most 768, or more for [many parts](scale.md); plots 640,
    maps 400; folders of pictures at most 64; clips at most 384."""
    aspect: str | None = key(default=None, check=_text(parse_aspect))
    """`width:height` to which the picture is cropped, such as `9:16`, or paper such as `A3`, which
    turns as the picture lies. Default: its own."""
    crop_at: str | None = key(default=None, check=_text(parse_place), keyword=True)
    """What a crop keeps in its centre, as shares of width and height such as `0.5,0.3`, and the
    share of the largest crop, as `0.5,0.3,0.6`; `auto` finds faces, or else most detail, `face`
    fills the crop with the largest face; `face-or-whole` does so too, in a square without an
    `aspect`, and then leaves a picture without a face whole; stored as numbers. Default:
    `0.5,0.5`."""
    pad: str | None = key(default=None, check=_colour, keyword=f"{_COLOUR} | None")
    """Add a border instead of cropping: its colour, or `background`. Default: none."""
    background: str = key(default="auto", check=_colour, keyword=_COLOUR).flagged(
        JUDGE,
        "COLOUR",
        "Colour behind the parts and behind transparent pixels. Default: auto (black; for "
        "shapes the mean colour).",
        usual=True,
    )
    """Colour behind the parts, behind transparent pixels and of the paper of plots: a CSS name,
    `#rrggbb`, three numbers in 0 to 1, or `auto`. Default: `auto`: that of the preset, else black;
    for shapes the mean colour of the target."""
    alpha: bool | float | None = key(default=None, check=_alpha)
    """Fit the transparency of the picture: parts stay off what is transparent. For shapes, cells,
    flat meshes, and splats with `blend = "over"`. A number, for shapes and splats, is how much
    alpha counts against colours. Default: `true` where `output.transparent` is and `background` is
    `auto`; stored as 1.5 for shapes, 1 for splats."""
    palette: int | tuple[str, ...] | None = key(
        default=None,
        check=_palette,
        keyword=f"int | str | os.PathLike[str] | Sequence[{_COLOUR}] | None",
    ).flagged(
        JUDGE,
        "COLOURS",
        "Limit parts and background to these colours: '#e63946,teal', a name such as riso or "
        "viridis:5, a .gpl, a text file with one on each line, a PNG of few colours, or N colours "
        "learned from the picture, or as FOLDER:N from all pictures of a series.",
        parse="artgen.targets:parse_palette",
        complete="palettes",
        usual=True,
    )
    """The only colours of parts and of an `auto` background: a list such as `["#101820", "teal"]`,
    or the number to learn from the target, 2 to 256; stored as a list of 1 to 256. Default: any
    colour."""
    focus: str | FileReference | None = key(default=None, check=_focus, keyword=_PATH).flagged(
        JUDGE,
        "auto|faces|none|X,Y,R|FILE",
        "Where detail matters most: auto for faces, or else what stands out; faces alone; circles, "
        "as shares of width, height and shorter side, with ; between several; or a gray picture.",
        file=str,
    )
    """Where detail matters: `auto` finds faces, or else what stands out, `faces` faces alone, as
    most looks do; both are stored as circles, or as `none`; circles `X,Y,R` as shares of width,
    height and shorter side, with `;` between them; or a gray picture. Other pixels have a tenth of
    the weight. Default: none."""
    mask: FileReference | None = key(default=None, check=_as_file, keyword=_PATH).flagged(
        JUDGE,
        "FILE",
        "Gray picture that weights each pixel: white counts fully, black not at all.",
        file=Path,
    )
    """A gray picture that weights each pixel. Default: none."""
    alpha_weight: bool = key(default=False).flagged(
        JUDGE, None, "Weight pixels by the alpha of the target."
    )
    """Weight pixels by their alpha. Default: `false`."""
    max_pixels: int = key(default=64_000_000, low=1, keyword="int | None").flagged(
        JUDGE, "N", "Refuse larger pictures. Default: 64 million."
    )
    """Refuse larger pictures, and sets with more pixels in all. Default: 64,000,000."""

    @property
    def frame(self) -> Frame:
        """The part of the picture that is fitted; its size is the key `size`."""
        aspect = None if self.aspect is None else parse_aspect(self.aspect)
        turns = paper_sides(self.aspect) is not None
        return Frame(aspect=aspect, at=parse_place(self.crop_at), pad=self.pad, turns=turns)


_VIEW = re.compile(r"(?:((?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)\*)?([^:*]+)(?::(.+))?", re.DOTALL)
"""Weight, how and picture of a view, such as ``2*turn=180:horse.jpg``."""


class ViewTable(Table):
    """One of several views of the drawing, and the picture that it shall show."""

    how: str = key()
    """How it is seen, such as `turn=180`, or one after the other: `mirror,blur=0.02`; see
    [views.md](views.md)."""
    target: str | FileReference | None = key(default=None, check=_view_target)
    """The picture that it shall show: a file, or a name such as `sample:cat`. Default: the target
    of the recipe."""
    weight: float = key(default=1.0, above=0, high=1e6)
    """How much it counts beside the other views. Default: 1.0."""

    @classmethod
    def of_text(cls, text: str) -> dict[str, Any]:
        """The data of ``[WEIGHT*]HOW[:PICTURE]``. Raises UsageError."""
        match = _VIEW.fullmatch(text.strip())
        if match is None:
            hint = "write HOW:PICTURE, such as turn=180:horse.jpg"
            raise UsageError(f"--view {text!r} says not how the drawing is seen", hint=hint)
        weight = match[1] and float(match[1])
        found = {"how": match[2].strip(), "target": match[3], "weight": weight}
        return {key: value for key, value in found.items() if value is not None}


def _as_views(value: Any, before: Mapping[str, Any]) -> Any:
    """Take texts for views."""
    if not _is_list(value):
        return value
    try:
        return tuple(ViewTable.of_text(v) if isinstance(v, str) else v for v in value) or None
    except UsageError as error:
        raise Wrong(f"is wrong: {error}") from None


SIZE_KEYS = ("count", "target_bytes", "parameter_bytes")
"""Keys of the primitive's table that say how many parts there are, of which one may be given."""


class PrimitiveTable(OpenTable):
    """Which kind of part, how many; every other key is an option of the primitive.

    A `count` of ``auto`` is for the engine to find; the recipe of the result has a number.
    """

    name: str = key(default="gaussian").flagged(
        MAKE,
        "NAME",
        "Kind of part, see artgen plugins list. Default: gaussian; the look single-line where "
        "nothing says how a picture is drawn.",
        own="primitive",
        names=("--primitive", "-p"),
        complete="primitives",
        usual=True,
    )
    """A primitive, as listed by `artgen plugins list`, or a mixture of shapes:
    `triangle*3+ellipse`. Default: `gaussian`."""
    count: int | Literal["auto"] | None = key(default=None, check=_count, keyword=True).flagged(
        MAKE,
        "N|auto",
        "Number of parts. auto: add parts while they help, or until --target-psnr is "
        "reached. For a codec: size of the latent, or rank. Default: the primitive's.",
        names=("--count", "-n"),
        parse=parse_count,
        usual=True,
    )
    """Number of parts, or `auto`: add parts until the target PSNR is reached or more gain too
    little (shapes, meshes, and splats with the blend `sum`). The stored recipe holds the number.
    Default: the primitive's."""
    target_bytes: int | None = key(default=None, low=1, keyword=True).flagged(
        MAKE, "SIZE", "Use as many parts as fit into an .art file such as 40kB.", parse=parse_bytes
    )
    """Use as many parts as fit into an `.art` file of this many bytes at `precision`; the stored
    recipe holds the count. Default: none."""
    parameter_bytes: int | None = key(default=None, low=1)
    """The same, counting the parameters alone; `artgen compare --bytes` sets it. Default: none."""
    preset: str | None = key(default=None, keyword=True)
    """A named set of options, count and budget. Default: none."""
    plugin: FileReference | None = key(default=None)
    """Name and SHA-256 of the loose file it comes from; written by artgen. Default: none."""

    @property
    def sizes(self) -> dict[str, Any]:
        """The given ones of `SIZE_KEYS`."""
        return {key: value for key in SIZE_KEYS if (value := getattr(self, key)) is not None}


class Stage(OpenTable):
    """One engine and its budget; every other key is an option of the engine."""

    engine: str = key(default="auto", keyword="str | type[Engine]").flagged(
        MAKE,
        "NAME,...",
        "Engine of each stage. Default: the first that the primitive names.",
        names=("--engine", "-e"),
        complete="engines",
    )
    """Name. Default: `auto`: the primitive's first."""
    steps: int | None = key(default=None, low=1, high=MOST_STEPS, keyword=True).flagged(
        LONG,
        "N,...",
        "Number of steps of each stage, or of the last. Default: the primitive's.",
        type=str,
        usual=True,
    )
    """Length of the schedule. Default: the primitive's, or the engine's for that count."""
    quality: Quality | None = key(default=None, keyword=True).flagged(
        LONG,
        None,
        "Effort, in place of --steps: draft takes about a fifth of the time, best about four "
        "times as long. Default: good.",
        usual=True,
    )
    """Effort without `steps` and `time`: `draft` is a fifth of the default steps, `best` four times
    as many; for `climb`, other numbers of restarts and passes. Default: `good`."""
    time: float | None = key(default=None, above=0, high=1e9, keyword=True).flagged(
        LONG,
        "SECONDS,...",
        "Run as many steps as fit into this time, divided evenly among the stages; 30,15 gives "
        "each its own. With --steps: whichever ends first.",
        type=str,
        usual=True,
    )
    """Seconds; converted to `steps`, see [below](#a-budget-of-time). Default: none."""
    replanned: tuple[tuple[int, int], ...] | None = key(
        default=None, check=_replanned, shortest=1, longest=MOST_REVISIONS
    )
    """What `steps` were before: pairs of a step and the number planned until there; written by
    artgen. Default: none."""
    evaluations: int | None = key(default=None, low=1, high=MOST_STEPS)
    """Largest number of evaluations; written where they would take more than 5 % of `time`.
    Default: none."""
    test_pictures: int | None = key(default=None, low=1, high=MOST_STEPS)
    """Test pictures of a [set](codecs.md) that an evaluation looks at; written where all would take
    more than 5 % of `time`. Default: all."""
    stop: int | None = key(default=None, low=0, high=MOST_STEPS)
    """Last step, if before `steps`; written when a run is interrupted. Default: none."""
    target_psnr: float | None = key(default=None, above=0, keyword=True).flagged(
        LONG, "DB", "Stop the last stage at this PSNR.", low=1, high=100
    )
    """Stop at this PSNR, in dB. Default: none."""
    plateau: int | None = key(default=None, low=1, high=MOST_STEPS).flagged(
        LONG, "STEPS", "Stop the last stage after this many steps without improvement.", low=1
    )
    """Stop after this many steps without an improvement of 0.01 dB of PSNR; without a picture, of
    loss. Default: none."""
    loss: str | None = key(default=None, keyword="str | LossFunction | None").flagged(
        JUDGE,
        "LOSS,...",
        "Loss of each stage, or of the last, such as l1+0.1*ssim or "
        "mse+0.3*texture:FILE. Default: mse.",
        complete="losses",
        usual=True,
    )
    """A name or a mixture such as `l1+0.1*ssim` or `mse+0.3*texture:wood.jpg`. Default: `mse`;
    `cross-entropy` for labelled points."""
    loss_files: tuple[FileReference, ...] | None = key(default=None)
    """The files that `loss` names: tables with `name` and `sha256`. Default: found by their
    names."""

    @classmethod
    def prepare(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Keep files in the text of the loss as references; the text has their bare names."""
        loss = data.get("loss")
        if not isinstance(loss, str) or "loss_files" in data:
            return data
        files: dict[str, str] = {}

        def bare(match: re.Match[str]) -> str:
            path = match[2].strip()
            files[path] = PureWindowsPath(path).name
            return f"{match[1]}{files[path]}"

        loss = _TEXT_FILE.sub(bare, _QUOTED_FILE.sub(bare, loss))
        loss = outside(loss, lambda each: _LOSS_FILE.sub(bare, each))
        if not files:
            return data
        if len({*files.values()}) < len(files):
            raise Misfit(("loss",), f"names files of the same name, rename one: {', '.join(files)}")
        return {**data, "loss": loss, "loss_files": [{"name": path} for path in files]}

    @property
    def first_plan(self) -> int:
        """The number of steps planned at first."""
        return self.replanned[0][1] if self.replanned else self.steps or 1

    @property
    def revisions(self) -> list[tuple[int, int]]:
        """The steps at which the number of steps was revised, and to what; see `Problem`."""
        before = self.replanned or ()
        totals = [*(total for _, total in before[1:]), self.steps or 1]
        return [(step, total) for (step, _), total in zip(before, totals, strict=False)]


class OutputTable(Table):
    """The outputs, beside the `.art` file."""

    still_size: int | str | None = key(default=None, check=_size).flagged(
        WRITE,
        "PX|WxH|CM|A3",
        "Size of the PNG: its long side, both sides, a length such as 30cm, or paper. "
        "Default: that of --crop, else the fitting size.",
        type=str,
        usual=True,
    )
    """Size of the PNG in pixels: its long side, or `"1080x1080"`, cropped or bordered as `target`
    says; or lengths at `dpi`, such as `"30cm"`. Default: the fitting size."""
    dpi: float | None = key(default=None, low=1, high=10_000)
    """Dots per inch that the PNG names. Default: none."""
    edges: Literal["hard", "smooth"] | None = key(default=None, keyword=True).flagged(
        WRITE,
        None,
        "With --palette: hard gives pictures those colours alone, smooth mixes them along edges "
        "and in parts that are not opaque. Default: hard, of tubes smooth.",
    )
    """With a `palette`: `hard` gives each pixel the colour that covers most of it, and makes parts
    opaque unless their opacity is asked for; `smooth` mixes colours along edges, and leaves parts
    as they are. Default: `hard`, of `tube` `smooth`; stored."""
    transparent: bool = key(default=False).flagged(
        WRITE, None, "Leave the background out of the PNG.", usual=True
    )
    """Leave the background out of the PNG. Default: `false`."""
    video: bool = key(default=True)
    """Make the progress video. Default: `true`."""
    video_format: VideoFormat = key(default="mp4")
    """`mp4`, `webm`, `gif`, `webp` or `apng`, see [films.md](films.md#formats). Default:
    `mp4`."""
    fps: int = key(default=30, low=1, high=120).flagged(
        WRITE, "N", "Frames per second. Default: 30."
    )
    """Frames per second. Default: 30."""
    video_seconds: float = key(default=10.0, above=0, high=3600).flagged(
        WRITE, "SECONDS", "Length of the video. Default: 10.", low=0.1, high=3600, usual=True
    )
    """Length; the result is shown for the last two seconds. Default: 10."""
    video_size: int | str | None = key(default=None, check=_size).flagged(
        WRITE,
        "PX|WxH",
        "Size of the video: its long side, or both sides. Default: the fitting size.",
        parse=lambda text: parse_pixels(text, flag="--video-size"),
    )
    """Size of the video, as for `still_size`; larger frames take more time. Default: the fitting
    size."""
    film: str | None = key(default=None, longest=400).flagged(
        WRITE,
        "FORM",
        "What the video shows in place of the progress, as in artgen render; see the guide to "
        "films.",
        complete="forms",
    )
    """What the video shows instead of the progress: `side-by-side`, `wipe`, `centres`, `depth`,
    `fly-in`, `zoom`, `generations`, `views` or another form of a plugin, such as `music=song.wav`
    ([films.md](films.md#forms-of-film)). Default: the progress."""
    start: Literal["photo", "blank", "parts"] | None = key(default=None).flagged(
        WRITE,
        None,
        "What the video starts with: the target, the background alone, or parts, to show them "
        "appear in place of the progress. Default: the first step.",
    )
    """What the video starts with: `photo`, `blank`, or `parts`, which shows them appear instead of
    the progress. Default: the first step."""
    end: Literal["photo", "hold"] | None = key(default=None).flagged(
        WRITE, None, "What the video ends with, after the result. Default: hold."
    )
    """What the video ends with after the result: `photo` or `hold`. Default: `hold`."""
    loop: bool | None = key(default=None).flagged(
        WRITE, None, "Run the video backwards too.", type=bool
    )
    """The video also runs backwards. Default: `false`."""
    max_bytes: int | None = key(default=None, low=1).flagged(
        WRITE,
        "SIZE",
        "Largest video file, such as 10MB; quality, frame rate, length, colours and, unless it is "
        "asked for, size follow from it.",
        parse=parse_bytes,
        usual=True,
    )
    """Largest video file; quality, frame rate, length, colours and, unless given, size are lowered
    until it fits ([films.md](films.md#ends-and-sizes)). Default: none."""
    frames: int | None = key(default=None, low=1)
    """Largest number of pictures of each stage in the video; frames between two pictures fade.
    Default: two for three frames that move."""
    walk: str | None = key(default=None, longest=200).flagged(
        CODECS,
        "WALK",
        "Show a walk through the latents instead of the progress, as in artgen render.",
    )
    """Of a codec the walk through its latents that the video shows, see [codecs.md](codecs.md).
    Default: none."""
    history: int | None = key(
        default=None, low=0, high=MOST_KEYS, check=_history, keyword=True
    ).flagged(
        WRITE,
        "N",
        "Keep N drawings of each stage in the .art file, as a film for artgen render; 0: "
        "nothing. Default: a light history, about a seventh of the file.",
    )
    """Drawings of each stage to keep in the `.art` file, see [films.md](films.md); 0 keeps nothing.
    Default: a light history."""


class RunTable(Table):
    """Device and arithmetic; resolved values are stored so that a re-run uses the same."""

    device: str = key(default="auto", keyword=True).flagged(
        WHERE,
        "NAME",
        "auto, cpu, cuda, cuda:1, mps, webgpu or webgpu:1. Default: auto (cuda if there is "
        "one, else a GPU by webgpu, else cpu).",
        complete="devices",
        usual=True,
    )
    """`auto`, `cpu`, `cuda`, `cuda:1`, `mps`, `webgpu`, `webgpu:1`, see [GPUs](gpu.md). Default:
    `auto`: cuda, else a GPU by webgpu, else cpu."""
    backend: Literal["auto", "compiled", "eager"] = key(default="auto", keyword="str").flagged(
        WHERE,
        None,
        ("How parts are drawn: compiled, or eager by plain torch, which is slower. Default: auto."),
    )
    """`auto`, `compiled`, `eager`; shapes and partitions are always compiled. Default: `auto`."""
    threads: int | None = key(default=None, low=1, keyword=True).flagged(
        WHERE, "N", "CPU threads per run. Default: all; with -j or --on: 1."
    )
    """Threads of the CPU. Default: all; 1 with `-j` or `--on`."""
    arithmetic: Literal["auto", "fp32", "bf16"] = key(default="auto")
    """Arithmetic of network layers while fitting: `auto`, `fp32`, `bf16`. Default: `auto`: the
    faster one on this machine."""
    precision: Precision = key(default="fp32", keyword="str").flagged(
        WRITE, None, "Number format of the parameters in the .art file. Default: fp32."
    )
    """Number format of the parameters in the `.art` file: `fp32`, `fp16`, `int8` (not for meshes),
    or `auto`: the fewest bytes that cost at most 0.05 dB, see [exports](exports.md#small-files).
    Default: `fp32`."""
    parameter_bytes: int | None = key(default=None, low=1)
    """The most bytes of the parameters, with `auto` or packed; `--target-bytes` writes it. Default:
    none."""
    random: Literal["philox"] | None = key(default=None)
    """Generator of the first drawing and of new parts: `philox`, which the [studio](studio.md) has
    as well. Default: torch's own."""


class ClipTable(Table):
    """Options of clips, which are fitted frame by frame; see docs/clips.md."""

    steps: int | None = key(default=None, low=1, high=MOST_STEPS)
    """Steps of every frame but the first of a scene. Default: the engine's."""
    stretch: float = key(default=5.0, low=1, high=16)
    """How many times `steps` a frame may take, whose carried parts show it badly, 1 to 16. Default:
    5.0."""
    motion: Literal["flow", "extrapolate"] = key(default="flow")
    """How parts move on: `flow` carries them along with the frames, `extrapolate` goes on as those
    near them did. Default: `flow`."""
    engine: str | None = key(default=None)
    """Engine of every frame but the first of a scene. Default: the last stage's; `gradient` after
    `climb`."""
    rate: float | None = key(default=None, low=0)
    """Factor on the learning rates of every frame but the first of a scene. Default: 0.5 for
    `gradient`, 0.45 after `climb`."""
    final: float | None = key(default=None, low=0, high=1)
    """Rates at the end of such a frame, a share of the largest, along half a cosine, 0 to 1.
    Default: 0.6 for `gradient`, constant after `climb`."""
    steady: float = key(default=0.2, low=0, high=0.95)
    """Share of the previous frame's error that is kept, against flicker, 0 to 0.95. Default: 0.2.
    """
    renew: float = key(default=0.1, low=0, high=0.5)
    """Largest share of the parts that is replaced per frame, 0 to 0.5. Default: 0.1."""
    cut: float = key(default=2.0, low=0)
    """A scene begins at a change this many times the usual one; 0 makes one scene of everything.
    Default: 2.0."""
    side_by_side: bool = key(default=False).flagged(
        CLIPS, None, "Also write STEM-side-by-side.mp4, the clip beside the drawing."
    )
    """Also write a video of the clip beside the drawing. Default: `false`."""


class TilesTable(Table):
    """Options of fits in tiles; see docs/scale.md."""

    side: int = key(default=1024, low=8, high=LARGEST, keyword="int | None").flagged(
        JUDGE,
        "PX",
        "Fit a picture of any size in tiles with this side, at its own size by default: splats "
        "with blend=sum.",
        own="tiles",
    )
    """Side of a tile, about, in pixels. Default: 1024."""
    margin: int = key(default=64, low=1, high=LARGEST)
    """Pixels around a tile, up to 3/8 of `side`, fitted too. Default: 64."""
    coarse: float = key(default=0.03, above=0, below=1)
    """Share of the parts that are fitted to the reduced picture, above 0 and below 1. Default:
    0.03."""
    passes: int = key(default=1, low=0, high=100)
    """Joint passes over the seams. Default: 1."""
    steps: int | None = key(default=None, low=1, high=MOST_STEPS)
    """Steps of each tile of a joint pass. Default: a quarter of those of the stage."""


class KindTable(OpenTable):
    """A kind of run that is asked for by its name; every other key is one of its options."""

    name: str = key()
    """Name of the kind of run, from a plugin; all other keys are its options."""


class PieceTable(Table):
    """Texts of a gallery: a title, what to look for, and the words for a screen reader.

    Pieces with an `order` come first and are highlights; others of one target hang apart. Those of
    one `group` share a card.
    """

    title: str | None = key(default=None, check=_words(LONGEST_TITLE))
    """One line of at most 80 characters. Default: from the file's name."""
    text: str | None = key(default=None, check=_words(LONGEST_TEXT))
    """A sentence on what to look for, at most 400 characters. Default: none."""
    alt: str | None = key(default=None, check=_words(LONGEST_TEXT))
    """Description for people who cannot see the picture. Default: target and parts."""
    group: str | None = key(default=None, check=_words(LONGEST_TITLE))
    """Title of the card that pieces of the same group share. Default: a card of its own."""
    order: int | None = key(default=None, low=0, high=1_000_000)
    """Place among the highlights, which come first and are shown in the reel. Default: none: after
    them, by name."""
    make: str | None = key(default=None, check=_words(LONGEST_TITLE))
    """What is made of the drawing, with its options: `string board=40cm`. Default: nothing."""


class EditTable(Table):
    """An operation on the parts of a drawing after it was fitted, see `artgen.editing`."""

    do: str = key()
    """The operation, such as `delete@smallest:10`; a file has its bare name."""
    file: FileReference | None = key(default=None)
    """Name and SHA-256 of the mask or the drawing that it names. Default: none."""
    palette: tuple[str, ...] | None = key(default=None, longest=MOST_COLOURS)
    """The colours of the drawing after it, where pictures have no others. Default: any."""


class MorphTable(Table):
    """The drawings that a film leads from and to; then the rest is the recipe of the first one."""

    first: FileReference = key()
    """Name and SHA-256 of an `.art` file."""
    second: FileReference = key()
    """The same of the other file."""
    seconds: float = key(above=0)
    """Duration of the morph."""
    hold: float = key(low=0)
    """How long each drawing is held still."""
    loop: bool = key(default=False)
    """Whether it returns to the first drawing. Default: `false`."""
    others: tuple[FileReference, ...] | None = key(default=None)
    """The same of further files, where the film goes on to them."""


class RecipeTable(Table):
    """The whole recipe: its own keys, and all other tables."""

    schema_version: Literal[1, 2] = key(default=SCHEMA, name="schema")
    """Version of this format; recipes of schema 1 (artgen 0.1) still work. Default: 2."""
    seed: int | None = key(default=None, low=0, below=2**63, keyword=True).flagged(
        MAKE, "N", "Random seed. The same seed repeats a run exactly. Default: random.", usual=True
    )
    """0 or more; the same seed repeats a run. Default: random."""
    look: str | None = key(default=None)
    """The name of the look that it was made with; what the look says is in the other keys. Default:
    none."""
    init: FileReference | None = key(default=None, check=_as_file, keyword=_PATH).flagged(
        MAKE,
        "FILE.art|FILE.svg",
        "Start from a saved drawing, with its primitive and options. "
        "Shapes can also start from splats, or from the filled paths of an SVG.",
        file=Path,
    )
    """An `.art` file to start from, of the same primitive; shapes can also start from splats, or
    from the paths of an [`.svg` file](exports.md#start-from-an-svg). A larger `count` adds shapes
    or sites. Default: none."""
    target: TargetTable = key(default=TargetTable())
    view: tuple[ViewTable, ...] | None = key(
        default=None, check=_as_views, longest=16, keyword="Sequence[str] | None"
    ).flagged(
        JUDGE,
        "HOW[:PICTURE]",
        "Make the drawing show another picture when it is seen in another way, such as "
        "turn=180:horse.jpg or blur=0.03:cat.png; without a picture, how the target is seen. "
        "2*HOW counts twice. Repeatable.",
        type=list[str],
    )
    primitive: PrimitiveTable = key(default=PrimitiveTable())
    stage: tuple[Stage, ...] = key(default=(Stage(),), shortest=1, longest=MOST_STAGES)
    output: OutputTable = key(default=OutputTable())
    run: RunTable = key(default=RunTable())
    clip: ClipTable | None = key(default=None)
    tiles: TilesTable | None = key(default=None)
    kind: KindTable | None = key(default=None)
    piece: PieceTable | None = key(default=None)
    morph: MorphTable | None = key(default=None)
    edit: tuple[EditTable, ...] | None = key(default=None, longest=MOST_KEYS)
