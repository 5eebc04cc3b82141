"""All readers of files from others, with an example of each kind of file."""

from __future__ import annotations

import gzip
import io
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
from PIL import Image

from artgen.base.errors import InputError

if TYPE_CHECKING:
    from artgen.recipe import Recipe
    from artgen.runs.job import Job
    from artgen.runs.loop.stages import Loop

__all__ = ["READERS", "Reader", "good_files"]


@dataclass(frozen=True)
class Reader:
    """`read` reads a file, `examples` are good ones, `suffix` is how their names end."""

    suffix: str
    read: Callable[[Path], object]
    examples: Callable[[], list[bytes]]


def _picture(form: str, mode: str = "RGB", **options: object) -> Callable[[], list[bytes]]:
    def examples() -> list[bytes]:
        row, column = np.mgrid[0:20, 0:30]
        rgb = np.stack([row * 12, column * 8, (row * column) % 256], 2).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(rgb).convert(mode).save(file, form, **options)
        return [file.getvalue()]

    return examples


def _open_target(path: Path) -> object:
    return _open_source(str(path))


def _open_expression(path: Path) -> object:
    return _open_source("curve:" + path.read_bytes().decode("utf-8", "replace"))


class _Answer(io.BytesIO):
    """A socket of which all that comes is known."""

    def makefile(self, *mode: object, **options: object) -> io.BytesIO:
        return self

    def nothing(self, *given: object) -> None:
        """For what is sent and set."""

    sendall = settimeout = setsockopt = nothing


def _open_address(path: Path) -> object:
    """What a server answers, byte by byte."""
    data = path.read_bytes()
    with patch("artgen_plugins.web._connect_outside", lambda *_: _Answer(data)):
        return _open_source("http://example.org/a.png")


def _answers() -> list[bytes]:
    body = _picture("PNG")()[0]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"
    pieces = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return [
        head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
        head + b"Transfer-Encoding: chunked\r\n\r\n" + pieces,
    ]


def _open_bands(path: Path) -> object:
    from artgen.base.files import open_regular
    from artgen.targets.bands import open_bands

    # Files of a few hundred pixels are read like those of many millions.
    with open_regular(path, str(path)) as file, patch("artgen.targets.bands.LARGE", 1):
        opened = open_bands(file, 10**6, str(path))
        return [band.shape for band in opened.samples]


def _tiled_tiff() -> list[bytes]:
    import tifffile

    pixels = np.arange(40 * 30 * 3, dtype=np.uint8).reshape(40, 30, 3)
    ways: list[dict[str, object]] = [
        {"rowsperstrip": 16, "compression": "zlib"},
        {"tile": (16, 16)},
    ]
    made = []
    for way in ways:
        file = io.BytesIO()
        tifffile.imwrite(file, pixels, photometric="rgb", **way)  # type: ignore[arg-type]
        made.append(file.getvalue())
    return made


def _read_font(path: Path) -> object:
    from artgen_plugins.glyph import Glyph

    return Glyph({"text": "()", "font": str(path)})


def _fonts() -> list[bytes]:
    from matplotlib import get_data_path

    return [Path(get_data_path(), "fonts", "ttf", "STIXSizTwoSymBol.ttf").read_bytes()]


def _read_stamp(path: Path) -> object:
    from artgen_plugins._stamps import read_stamps

    return [read_stamps(str(path), colours) for colours in ("own", "flat")]


def _read_look(path: Path) -> object:
    from artgen.looks import apply_look, read_look
    from artgen.registry import default

    return apply_look({}, read_look(str(path), default()), None, default())


def _start_from(path: Path) -> object:
    """Shapes like the paths of a drawing, and a step."""
    import artgen

    target = np.linspace(0, 1, 12 * 8 * 3).reshape(12, 8, 3)
    return artgen.fit(target, "blob", init=path, engine="climb", steps=1, seed=1)


def _paths() -> list[bytes]:
    return [
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 80"><style>.a{fill:#c33}</style>'
        b'<g transform="translate(4 3) rotate(5)"><path class="a" d="M10 10h40v30H10z"/>'
        b'<path fill="rgb(20,80,160)" fill-opacity=".5" d="M60 20c20-30 40 30 50 9S70 70 60 20Z"/>'
        b'<circle cx="30" cy="60" r="12"/><polygon points="80,50 110,70 70,75" fill="teal"/></g></svg>',
        b'<?xml version="1.0"?><svg width="30" height="20"><rect width="9" height="8" rx="2"/></svg>',
    ]


def _open_source(source: str) -> object:
    from artgen.recipe import Recipe
    from artgen.registry import default
    from artgen.runs import read_target

    recipe = Recipe.from_dict({"target": {"source": source, "size": 32}})
    return read_target(recipe, default(), (Path(),))


def _read_recipe(path: Path) -> object:
    from artgen.recipe import Recipe

    return _prepare(Recipe.from_toml(path))


def _prepare(recipe: Recipe) -> object:
    """All that happens before the first step, at a small size."""
    from artgen.registry import default
    from artgen.runs import Asked
    from artgen.runs.kinds.picture.run import PictureRun

    small = recipe.with_target(size=32)
    return PictureRun(Asked(small, default())).prepare()


def _draw(path: Path) -> object:
    import artgen

    return artgen.load(path).render(24)


def _draw_numbers(path: Path) -> object:
    """The header and numbers of a small drawing, in a file whose checksum is right."""
    import zlib

    from safetensors.numpy import save

    from artgen.base.files import read_regular
    from artgen.base.header import SMALL

    body = read_regular(path, str(path))
    data = np.frombuffer(zlib.crc32(body).to_bytes(4, "little") + body, np.uint8)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a.art"
        file.write_bytes(save({SMALL: data}, metadata={"artgen": '{"format":4}'}))
        return _draw(file)


def _read_palette(path: Path) -> object:
    from artgen.targets import read_palette

    return read_palette(path)


def _find_recipe(path: Path) -> object:
    from artgen.output import read_recipe

    return read_recipe(path)


@cache
def _job() -> Job:
    """A small fit."""
    from artgen.recipe import Recipe
    from artgen.registry import default
    from artgen.runs import Asked
    from artgen.runs.kinds.picture.run import PictureRun
    from artgen.targets import image_from_array

    target = image_from_array(np.linspace(0, 1, 12 * 8 * 3).reshape(12, 8, 3))
    table = {"primitive": {"count": 4}, "stage": [{"steps": 9}], "seed": 1}
    return PictureRun(Asked(Recipe.from_dict(table), default(), target=target)).prepare()


def _fit_with(checkpoint: Path) -> Loop:
    from artgen.runs.context import RunContext
    from artgen.runs.files.folder import RunFolder
    from artgen.runs.loop.stages import Loop

    folder = RunFolder(checkpoint.parent)
    folder.checkpoint = checkpoint
    return Loop(_job(), RunContext(), folder=folder)


def _go_on(path: Path) -> object:
    """A step after a checkpoint."""
    fit = _fit_with(path)
    fit.resume()
    if fit.checkpoints.engine is None:
        raise InputError("there is no checkpoint")
    engine = fit._start_stage(fit.progress.stage)
    engine.advance(1)
    return engine.drawing(best=True)


def _read_key(path: Path) -> object:
    from artgen.runs.files.state_file import StateStore
    from artgen.runs.kinds.clip.keyframes import KeyframeStore

    class One(StateStore):
        def path(self, number: int) -> Path:
            return path

    keys = KeyframeStore(path.parent)
    keys.store = One(path.parent, "key", 6)
    return keys.read(0)


@cache
def _arts() -> list[bytes]:
    import artgen

    fits = (
        ("gaussian", {"count": 4}),
        ("triangle", {"count": 3}),
        ("mlp", {"hidden": 4}),
        ("gaussian", {"count": 40}),
    )
    target = np.linspace(0, 1, 12 * 8 * 3).reshape(12, 8, 3)
    made = [
        artgen.fit(target, name, steps=2, seed=1, precision=precision, **options)
        for (name, options), precision in zip(fits, ("fp32", "int8", "fp16", "auto"), strict=True)
    ]
    return [art.to_bytes() for art in made]


def _numbers() -> list[bytes]:
    data = _arts()[-1]
    return [data[8 + struct.unpack("<Q", data[:8])[0] + 4 :]]


def _described() -> list[bytes]:
    """Drawings as JSON, at all precisions."""
    import artgen

    made = []
    for data in _arts():
        with TemporaryDirectory() as folder:
            file = Path(folder) / "a.art"
            file.write_bytes(data)
            made.append(json.dumps(artgen.load(file).to_dict()).encode())
    return made


def _films() -> list[bytes]:
    """One with parts that come and go, one of shapes with another background, in two scenes."""
    import torch

    import artgen

    target = np.linspace(0, 1, 12 * 8 * 3).reshape(12, 8, 3)
    grown = artgen.fit(target, "gaussian", count=6, steps=20, seed=1, history=4, precision="fp16")
    still = artgen.fit(target, "triangle", count=3, steps=2, seed=1)
    keys = {name: torch.stack([t, t + 0.1]) for name, t in still.drawing.tensors.items()}
    first = artgen.art.Scene(
        (0.0, 1.0), keys, background=torch.tensor([[0.1, 0.2, 0.3], [1, 0, 0.5]])
    )
    film = artgen.art.Film((first, artgen.art.Scene((1.5, 2.0), keys)), 3.0, 25.0)
    return [grown.to_bytes(), replace(still, film=film).to_bytes()]


def _play(path: Path) -> object:
    import artgen

    art = artgen.load(path)
    duration = art.require_film().duration
    return [art.at(share * duration).render(24) for share in (0.0, 0.6)]


def _pictures() -> list[bytes]:
    from artgen.output import encode_png

    return [encode_png(np.zeros((4, 5, 3), np.uint8), '{"schema": 1}')]


def _pages() -> list[bytes]:
    from artgen.output.svg.document import RECIPE_ID

    text = '{"schema": 1, "piece": {"title": "\\u003cb>"}}'
    tag = f'<script type="application/json" id="{RECIPE_ID}">'
    return [f"<!doctype html><title>x</title>{tag}{text}</script><p>y</p>".encode()]


def _read_clip(path: Path) -> object:
    from artgen.targets import TargetRequest, open_clip

    return [frame.canvas for frame in open_clip(path, TargetRequest(size=32)).frames()]


def _clips(suffix: str) -> Callable[[], list[bytes]]:
    """Four frames of a square that walks."""

    def examples() -> list[bytes]:
        from artgen.output import write_video

        frames = np.full((4, 24, 32, 3), 40, np.uint8)
        for index in range(4):
            frames[index, 8:16, 4 + 3 * index : 12 + 3 * index] = (250, 120, 30)
        with TemporaryDirectory() as folder:
            file = Path(folder) / f"clip{suffix}"
            write_video(file, frames, fps=10)
            return [file.read_bytes()]

    return examples


def _checkpoints() -> list[bytes]:
    """One as it is written now, and one of the first, which had no digest."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint.safetensors"
        fit = _fit_with(path)
        engine = fit._start_stage(0)
        engine.advance(3)
        fit._checkpoint(engine)
        data = path.read_bytes()
    return [data, data.replace(b"digest", b"former")]


def _keys() -> list[bytes]:
    import torch

    from artgen.runs.kinds.clip.keyframes import Keyframe, KeyframeStore

    with TemporaryDirectory() as folder:
        store = KeyframeStore(Path(folder))
        state = {"exp_avg.xy": torch.zeros(2, 4)}
        born = torch.zeros(4, dtype=torch.int64)
        store.add(0, Keyframe({"xy": torch.ones(2, 4)}, born, 3, 0.5, state))
        return [next(Path(folder).iterdir()).read_bytes()]


def _videos(suffix: str) -> Callable[[], list[bytes]]:
    def examples() -> list[bytes]:
        from artgen.output import write_video

        black = np.zeros((16, 16, 3), np.uint8)
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"it{suffix}"
            write_video(path, [black, black], fps=5, comment='{"schema": 1}')
            return [path.read_bytes()]

    return examples


def _documents() -> list[bytes]:
    from artgen.output.svg.document import PDF_RECIPE

    recipe = '{"schema": 1, "piece": {"title": "a &amp; b"}}'
    return [f"%PDF-1.4\n1 0 obj\n<{PDF_RECIPE}>{recipe}</{PDF_RECIPE}>\nendobj\n".encode()]


def _drawings() -> list[bytes]:
    recipe = "{&quot;schema&quot;: 1}"
    text = f'<svg xmlns="http://www.w3.org/2000/svg"><metadata id="artgen-recipe">{recipe}</metadata></svg>'
    return [text.encode(), b"<?xml version='1.0' encoding='utf-8'?>" + text.encode()]


def _read_paths(path: Path) -> object:
    from artgen.svg.read import read_svg

    return read_svg(path)


def _read_log(path: Path) -> object:
    from artgen.base.errors import InputError
    from artgen.runs import read_generations, read_losses

    try:
        return read_losses(path)
    except InputError:
        return read_generations(path)


def _idx() -> list[bytes]:
    images = np.arange(5 * 6 * 7, dtype=np.uint8)
    data = struct.pack(">HBBIII", 0, 8, 3, 5, 6, 7) + images.tobytes()
    return [data, gzip.compress(data)]


def _arrays() -> list[bytes]:
    file = io.BytesIO()
    labels = np.arange(5, dtype=np.int64)
    np.savez(file, images=np.arange(5 * 6 * 7, dtype=np.uint8).reshape(5, 6, 7), labels=labels)
    return [file.getvalue()]


def _recipes() -> list[bytes]:
    return [
        b'schema = 1\nseed = 7\n[target]\nsource = "sample:cat"\nsize = 64\n[primitive]\n'
        b'name = "fourier"\ncount = 40\nharmonics = 4\n[[stage]]\nengine = "gradient"\n'
        b'steps = 30\nloss = "l1+0.1*ssim"\n[output]\nvideo_seconds = 2.0\n'
    ]


READERS = {
    "PNG": Reader(".png", _open_target, _picture("PNG", "RGBA")),
    "JPEG": Reader(".jpg", _open_target, _picture("JPEG")),
    "WebP": Reader(".webp", _open_target, _picture("WEBP")),
    "AVIF": Reader(".avif", _open_target, _picture("AVIF")),
    "GIF": Reader(".gif", _open_target, _picture("GIF", "P")),
    "TIFF": Reader(".tif", _open_target, _picture("TIFF", compression="tiff_lzw")),
    "BMP": Reader(".bmp", _open_target, _picture("BMP")),
    "PNG in bands": Reader(".png", _open_bands, _picture("PNG")),
    "TIFF in bands": Reader(".tif", _open_bands, _tiled_tiff),
    "address": Reader(".http", _open_address, _answers),
    "ICO": Reader(".ico", _open_target, _picture("ICO", "RGBA")),
    "table": Reader(
        ".csv", _open_target, lambda: [b"x,y\n0,1\n1,2.5\n2,3e-2\n", b"0.1,2,red\n3,4,blue\n"]
    ),
    "expression": Reader(
        ".txt",
        _open_expression,
        lambda: [b"sin(4*x)+2.777*x**2-1.5*x**3", b"exp(-x**2)*abs(x)?from=-2&to=2&n=40"],
    ),
    "set as IDX": Reader("-images-idx3-ubyte", _open_target, _idx),
    "set as npz": Reader(".npz", _open_target, _arrays),
    "recipe": Reader(".toml", _read_recipe, _recipes),
    "recipe in a file": Reader(".art", _find_recipe, _arts),
    "recipe in a picture": Reader(".png", _find_recipe, _pictures),
    "recipe in a video": Reader(".mp4", _find_recipe, _videos(".mp4")),
    "recipe in an animation": Reader(".gif", _find_recipe, _videos(".gif")),
    "recipe in a PDF": Reader(".pdf", _find_recipe, _documents),
    "recipe in a summary": Reader(
        ".json", _find_recipe, lambda: [b'{"recipe": {"schema": 1, "seed": 7}, "psnr": 20.5}']
    ),
    "recipe in an SVG": Reader(".svg", _find_recipe, _drawings),
    "paths of an SVG": Reader(".svg", _read_paths, _paths),
    "recipe in a page": Reader(".html", _find_recipe, _pages),
    "art": Reader(".art", _draw, _arts),
    "numbers of an art": Reader(".bin", _draw_numbers, _numbers),
    "film": Reader(".art", _play, _films),
    "art as JSON": Reader(".json", _draw, _described),
    "palette": Reader(
        ".gpl", _read_palette, lambda: [b"GIMP Palette\nName: x\n0 0 0 a\n255 10 1\n", b"#fff000\n#123456\n"]
    ),
    "font": Reader(".ttf", _read_font, _fonts),
    "stamp": Reader(".png", _read_stamp, _picture("PNG", "RGBA")),
    "look": Reader(".toml", _read_look, _recipes),
    "SVG to start from": Reader(".svg", _start_from, _paths),
    "video": Reader(".mp4", _read_clip, _clips(".mp4")),
    "WebM": Reader(".webm", _read_clip, _clips(".webm")),
    "animation": Reader(".gif", _read_clip, _clips(".gif")),
    "checkpoint": Reader(".safetensors", _go_on, _checkpoints),
    "key of a clip": Reader(".safetensors", _read_key, _keys),
    "log": Reader(
        ".jsonl", _read_log, lambda: [b'{"step": 1, "loss": 0.5}\n{"step": 2, "loss": 0.25, "training_loss": 0.2}\n']
    ),
}  # fmt: skip


@cache
def good_files() -> dict[str, list[bytes]]:
    """The examples of every reader by its name, made once: fits and videos take seconds."""
    return {name: reader.examples() for name, reader in READERS.items()}
