"""The same recipes give the same bytes, whatever the code behind them is called.

Every run below is made by the command line. Digests of its pictures, vector files and tensors are
kept in `data/same_bytes.json` under the name of the processor, since vector units of other widths
round differently; on a processor that is not listed the quality in dB is compared instead.

    python tests/test_same_bytes.py --write     # record this processor's digests
    python tests/test_same_bytes.py NAME ...    # compare some runs, or all
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file

from artgen.cli import main

KILLED = Path(__file__).parent / "data" / "killed"
"""Folders of runs that version 0.1.0 left when it was killed, beside what it made of each later.

`gaussian`, `over` and `clip` are beside what 0.2 makes of them, for the reason given below.
"""

STORE = Path(__file__).parent / "data" / "same_bytes.json"

# The defaults of 0.1.
EARLIER = (
    "--set engine.move=0.05 --set engine.importance=colour --set engine.exponent=1"
    " --set engine.blur=0.5"
)
GAUSSIAN = f"fit sample:astronaut -p gaussian -n 40 --steps 40 --size 40 {EARLIER}"
SHAPES = "fit sample:coffee --size 40 -n 12 --steps 12"
DIGITS = "fit sample:digits?n=240 --steps 6"

RUNS: dict[str, str] = {
    # Runs of Gaussians that are not laid over one another, and what is made of them, have the bytes
    # of 0.2, whose steps take half the time: it computes weights once for picture and gradient, and
    # so adds up the gradient in another order. A step differs from that of 0.1 by rounding, a
    # millionth; Adam makes more of it. Qualities in dB were compared: they are the same on average.
    "gaussian-sum": GAUSSIAN,
    "gaussian-video": "fit sample:chelsea -p gaussian -n 20 --steps 20 --size 32 --video {}.gif"
    f" --fps 5 --video-seconds 2 {EARLIER}",
    "gaussian-mean": f"{GAUSSIAN} --set blend=mean",
    "gaussian-normalized": f"{GAUSSIAN} --set blend=normalized",
    "gaussian-depth": f"{GAUSSIAN} --set blend=depth",
    "gaussian-over": f"{GAUSSIAN} --set blend=over --transparent --still-size 60",
    "gaussian-inverse": f"{GAUSSIAN} --set scale=inverse",
    "gaussian-buffer": f"{GAUSSIAN} --set blend=normalized --set visibility=buffer",
    "gaussian-eager": f"{GAUSSIAN} --backend eager",
    "gaussian-auto": f"fit sample:coffee -p gaussian -n auto --steps 60 --size 32 {EARLIER}",
    "gaussian-loss": f"{GAUSSIAN} --loss l1+0.1*ssim --precision fp16",
    "gaussian-coarse": f"{GAUSSIAN} --set engine.coarse=0.5 --set engine.optimizer=adamw"
    " --set engine.schedule=one-cycle",
    # 0.1 asked for `--target-bytes 900`, the parameters alone, which gave this count.
    "gaussian-bytes": f"fit sample:rocket -n 104 --steps 20 --size 32 --precision int8 {EARLIER}",
    "gaussian-stages": "fit sample:rocket -n 20 -e gradient,gradient --steps 15,15 --size 32"
    f" --history 4 {EARLIER.replace('engine', '1')} {EARLIER.replace('engine', '2')}",
    "fourier": f"fit sample:astronaut -p fourier -n 30 --steps 30 --size 40 {EARLIER}",
    "stroke": f"fit sample:astronaut -p stroke -n 20 --steps 20 --size 40 {EARLIER}",
    "triangle": f"{SHAPES} -p triangle",
    "rectangle": f"{SHAPES} -p rectangle",
    "square": f"{SHAPES} -p square",
    "rotated_rectangle": f"{SHAPES} -p rotated_rectangle",
    "ellipse": f"{SHAPES} -p ellipse",
    "rotated_ellipse": f"{SHAPES} -p rotated_ellipse",
    "circle": f"{SHAPES} -p circle",
    "polygon": f"{SHAPES} -p polygon",
    "bezier": f"{SHAPES} -p bezier",
    "line": f"{SHAPES} -p line",
    "mixture": f"{SHAPES} -p triangle*3+ellipse --transparent --still-size 70",
    "triangle-palette": f"{SHAPES} -p triangle --palette 5",
    "triangle-polish": f"{SHAPES} -p triangle --polish --history 3",
    "triangle-genetic": "fit sample:coffee -p triangle -e genetic -n 8 --steps 25 --size 32",
    "triangle-memetic": "fit sample:coffee -p triangle -e genetic -n 8 --steps 8 --size 32"
    " --set engine.memetic=2",
    "voronoi": "fit sample:coffee -p voronoi -n 20 --steps 25 --size 32",
    "mlp": "fit sample:coffee -p mlp --steps 20 --size 32",
    "mlp-scratch": "fit sample:coffee -p mlp -e scratch --steps 6 --size 16",
    "siren": "fit sample:coffee -p siren --steps 10 --size 32",
    "siren-all": "fit sample:coffee -p siren --steps 6 --size 32 --set engine.batch=0",
    "hashgrid": "fit sample:coffee -p hashgrid --steps 10 --size 32",
    "fourier_features": "fit sample:coffee -p fourier_features --steps 10 --size 32",
    "curve": "fit curve:sin(3*x) -p mlp --steps 30",
    "points": "fit points:spiral -p mlp --steps 30",
    "curve-scratch": "fit curve:x/2 -p mlp -e scratch --steps 10",
    "autoencoder": f"{DIGITS} -p autoencoder --set brightness=0.5",
    "autoencoder-augmented": f"{DIGITS} -p autoencoder --set brightness=0.5"
    " --set engine.augment=0.5",
    "conditional": f"{DIGITS} -p conditional --set brightness=0.5",
    "pca": "fit sample:digits?n=240 -p pca",
    "svd": "fit sample:digits?n=240 -p svd --no-video",
    "clip-gaussian": "fit sample:clip?n=4&pan=0.04&turn=2.5 -p gaussian -n 20 --steps 30"
    f" --size 32 --set clip.motion=extrapolate --set clip.renew=0.01"
    f" --set clip.rate=0.15 --set clip.final=1 {EARLIER}",
    "clip-triangle": "fit sample:clip?n=4&pan=0.04&turn=2.5 -p triangle -n 10 --steps 10"
    " --size 32 --set clip.motion=extrapolate --set clip.engine=climb",
    "mask": f"{GAUSSIAN} --mask {{mask}}",
    "alpha": "fit {transparent} -p triangle -n 8 --steps 8 --alpha-weight",
    "alpha-gaussian": f"fit {{transparent}} -p gaussian -n 8 --steps 8 --background #336699 {EARLIER}",
    "batch": "fit {photo} {transparent} -p circle -n 5 --steps 5 --seeds 1,2",
    "seeded-shapes": "fit {photo} --init {gaussian-normalized}.art -p triangle -n 10 --steps 6",
    "init": f"fit {{photo}} --init {{gaussian-sum}}.art --steps 10 {EARLIER}",
    "refit-shapes": "fit {photo} --init {triangle}.art -e gradient --steps 10",
    "render-splats": "render {gaussian-over}.art --size 96 -o {}.png -o {}.html",
    "render-field": "render {siren}.art --size 64 -o {}.png -o {}.html",
    "render-shapes": "render {mixture}.art --size 90 -o {}.png -o {}.svg -o {}.json -o {}.html",
    "render-transparent": "render {triangle}.art --transparent --size 64 -o {}.png -o {}.svg",
    "render-cells": "render {voronoi}.art --size 90 -o {}.png -o {}.svg",
    # The bytes of these two are those of 0.2, which spaces the pictures of a film by how much they
    # change. 0.1 spaced them by their steps.
    "render-film": "render {triangle-polish}.art -o {}.gif",
    "render-moment": "render {gaussian-stages}.art --at 1 --size 50 -o {}.png",
    "plot-shapes": "render {mixture}.art --page A5 --pens 3 -o {}.svg",
    "plot-cells": "render {voronoi}.art --page A5 -o {}.svg",
    "plot-strokes": "render {stroke}.art --page A5 -o {}.svg",
    "walk": "render {autoencoder}.art --walk linear -o {}.png",
    "latent": "render {conditional}.art --latent mean@3 -o {}.png",
    "morph-splats": "morph {gaussian-sum}.art {gaussian-bytes}.art -o {}.art --size 40",
    "morph-shapes": "morph {triangle}.art {triangle-genetic}.art -o {}.art -o {}.gif --size 40",
    "morph-cells": "morph {voronoi}.art {voronoi}.art -o {}.art --size 40",
    "morph-field": "morph {siren}.art {siren-all}.art -o {}.art --size 32",
}


def processor() -> str:
    """What decides how numbers round: the machine, and the widest vectors that torch uses."""
    return f"{platform.machine()}-{torch.backends.cpu.get_cpu_capability()}"


def digests(name: str, folder: Path) -> dict[str, str | float]:
    """Digests of all that the run writes into `folder`, and its quality, by file."""
    words = {each: str(folder / each / each) for each in RUNS}
    photo, transparent, mask = (folder / f"{kind}.png" for kind in ("photo", "transparent", "mask"))
    if not photo.exists():
        row, column = np.mgrid[0:20, 0:28]
        gray = (9 * row + 5 * column * column) % 256
        image = np.stack([gray, 255 - gray, (row * column) % 256], axis=2).astype(np.uint8)
        Image.fromarray(image).save(photo)
        alpha = np.where((row - 10) ** 2 + (column - 14) ** 2 < 60, 255, 0)
        Image.fromarray(np.dstack([image, alpha]).astype(np.uint8)).save(transparent)
        Image.fromarray(np.tile(gray[:, :20], (2, 2)).astype(np.uint8)).save(mask)
    words |= {"photo": str(photo), "transparent": str(transparent), "mask": str(mask)}
    out = folder / name
    out.mkdir()
    text = RUNS[name].replace("{}", str(out / name))
    for word, path in words.items():
        text = text.replace(f"{{{word}}}", path)
    argv = [*text.split(), "--quiet"]
    if argv[0] == "fit":
        argv += ["--out", str(out)] + ([] if "--seeds" in argv else ["--name", name, "--seed", "3"])
        argv += ["--threads", "1"]
        if "--video" not in argv and "--no-video" not in argv and not name.startswith("clip"):
            argv += ["--no-video"]
    # A trial against the clock chooses the arithmetic: a busy machine must not choose another.
    bf16 = mock.patch("artgen.runner._arithmetic.FASTER", 0.0)
    with bf16, contextlib.redirect_stdout(io.StringIO()):
        assert main(argv) == 0, f"{name} failed: artgen {' '.join(argv)}"
    found: dict[str, str | float] = {}
    for path in sorted(out.iterdir()):
        if path.suffix in _READ:
            found[path.name] = hashlib.sha256(_READ[path.suffix](path)).hexdigest()[:16]
        if path.suffix == ".json" and argv[0] == "fit":
            summary = json.loads(path.read_text())
            found[path.name] = summary.get("psnr") or summary.get("mse") or 0.0
    assert found
    return found


def _pixels(path: Path) -> bytes:
    """All pixels of all frames; what is stored beside them may change."""
    pixels = b""
    with Image.open(path) as image:
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            pixels += image.convert("RGBA").tobytes()
    return pixels


def _tensors(path: Path) -> bytes:
    tensors = load_file(path)
    return b"".join(name.encode() + tensors[name].tobytes() for name in sorted(tensors))


def _drawn(path: Path) -> bytes:
    """The elements of an SVG that draw; its metadata hold the recipe."""
    text = path.read_text()
    start, end = text.find("<metadata"), text.find("</metadata>")
    return (text if start < 0 else text[:start] + text[end:]).encode()


_READ = {".png": _pixels, ".gif": _pixels, ".art": _tensors, ".svg": _drawn}


@functools.cache
def _recorded() -> dict[str, dict[str, str | float]]:
    stored = json.loads(STORE.read_text())
    return stored.get(processor()) or {
        name: {file: value for file, value in files.items() if not isinstance(value, str)}
        for name, files in next(iter(stored.values())).items()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A function from the name of a run to its digests; each is made once, with what it needs."""
    folder, found = tmp_path_factory.mktemp("same"), {}

    def make(name: str) -> dict[str, str | float]:
        for each in (*_needed(name), name):
            if each not in found:
                found[each] = digests(each, folder)
        return found[name]

    return make


def _needed(name: str) -> list[str]:
    return [other for other in RUNS if f"{{{other}}}" in RUNS[name]]


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_run_gives_the_same_bytes(name, made):
    _compare(name, made(name))


@pytest.mark.slow
@pytest.mark.parametrize("run", sorted(KILLED.glob("*.run")), ids=lambda path: path.stem)
def test_a_run_killed_under_version_0_1_goes_on_to_the_same_bytes(run, tmp_path):
    shutil.copytree(run, tmp_path / run.name)
    line = ["fit", "--resume", "--out", str(tmp_path), "--name", run.stem, "--quiet"]
    assert main(line) == 0
    art, still = KILLED / f"{run.stem}.art", KILLED / f"{run.stem}.png"
    if processor() in json.loads(STORE.read_text()):
        assert _tensors(tmp_path / art.name) == _tensors(art)
        assert _pixels(tmp_path / still.name) == _pixels(still)
    assert main(["render", str(art), "-o", str(tmp_path / "again.png"), "--quiet"]) == 0
    shown = np.array(Image.open(tmp_path / "again.png").convert("RGB"), np.int16)
    assert np.abs(shown - np.array(Image.open(still).convert("RGB"), np.int16)).max() <= 2


def _compare(name: str, found: dict[str, str | float]) -> None:
    for file, value in _recorded()[name].items():
        if file.endswith("-sheet.png"):
            # A contact sheet prints text: seeds and PSNR since 0.2. The pictures in it are compared.
            assert file in found
        elif isinstance(value, str):
            assert found[file] == value, f"{file} has other bytes"
        else:
            assert found[file] == pytest.approx(value, abs=0.1), file


def _main(names: list[str]) -> None:
    write = names == ["--write"]
    chosen = list(RUNS) if write or not names else names
    results, failed = {}, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        todo = [other for each in chosen for other in (*_needed(each), each)]
        for each in dict.fromkeys(todo):
            try:
                results[each] = digests(each, folder)
                if not write:
                    _compare(each, results[each])
            except AssertionError as error:
                failed.append(f"{each}: {error}")
            print(each, file=sys.stderr)
    if write:
        stored = json.loads(STORE.read_text()) if STORE.exists() else {}
        STORE.write_text(json.dumps({**stored, processor(): results}, indent=1) + "\n")
    print("\n".join(failed) or "the same bytes")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    _main(sys.argv[1:])
