"""Helpers for many tests: a small run, the simplest splat, comparisons of states, videos."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from PIL import Image

from artgen import Param, Splat, init, option, pixels
from artgen.recipe import Recipe
from artgen.registry import default
from artgen.targets import DEFAULT_REQUEST, Source, TargetRequest, open_source

__all__ = [
    "BY_DAY",
    "PATIENCE",
    "PYTHON",
    "Blob",
    "assert_same_bits",
    "assert_types",
    "changed",
    "filled",
    "listed_under",
    "open_sample",
    "recipe",
    "run_script",
    "save_photo",
    "video_frames",
    "wait_until",
    "with_few_frames",
]

BY_DAY = {"triangle", "ellipse", "bezier", "glyph"}
"""Shapes with straight and curved outlines, with spans, and with data of their own: kernels of the
others take minutes to compile, and some tests leave them to the night."""

PATIENCE = 300
"""Seconds after which a test is thought to hang, however busy the machine is."""

PYTHON = shlex.split(os.environ.get("ARTGEN_TEST_PYTHON", "")) or [sys.executable]
"""A Python for processes that use torch: in `make test` one that starts at once (tools/forks.py)."""


def assert_types(script: str, declared: Path, folder: Path) -> None:
    """Check the types in the comments of a script by TypeScript, which Deno brings."""
    options = {
        "checkJs": True,
        "strict": True,
        "lib": ["esnext", "dom", "dom.iterable"],
        "types": [str(declared)],
    }
    (folder / "deno.json").write_text(json.dumps({"compilerOptions": options}))
    (folder / "script.js").write_text(script)
    _deno(folder, "check", "script.js")


def run_script(script: str, folder: Path) -> Any:
    """What a script gives to `print`, through Deno."""
    told = "const print = (value) => console.log(JSON.stringify(value));\n"
    return json.loads(_deno(folder, "eval", told + script))


def _deno(folder: Path, *arguments: str) -> str:
    """What Deno prints, which works in a folder; it must not fail."""
    deno = pytest.importorskip("deno", reason="needs artgen[dev]").find_deno_bin()
    more = {"DENO_DIR": str(folder / "cache"), "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        [deno, *arguments],
        cwd=folder,
        env=os.environ | more,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def save_photo(folder: Path) -> Path:
    """A picture of 24 × 16 pixels with a little of everything."""
    row, column = np.mgrid[0:16, 0:24]
    image = np.stack([column / 23, row / 15, (row + column) % 5 / 4], axis=2)
    path = folder / "photo.png"
    Image.fromarray((255 * image).astype(np.uint8)).save(path)
    return path


def open_sample(rest: str, request: TargetRequest = DEFAULT_REQUEST) -> Any:
    """The target ``sample:rest``."""
    return open_source(Source("sample", rest), default(), request)


def changed(recipe: Recipe, changes: dict) -> Recipe:
    """The recipe with `changes` laid over it, table by table; stages are replaced whole."""
    data = recipe.to_dict()
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(data.get(key), dict)
        data[key] = {**data[key], **value} if both else value
    return Recipe.from_request(data)


def recipe(source: Path, *stages: dict, **tables: dict) -> Recipe:
    """A small recipe: 8 splats and a video of 8 frames."""
    base = {
        "seed": 5,
        "target": {"source": str(source)},
        "primitive": {"name": "gaussian", "count": 8},
        "stage": list(stages),
        "output": {"fps": 8, "video_seconds": 1},
        "run": {"device": "cpu", "threads": 1},
    }
    return changed(Recipe.from_dict(base), tables)


def video_frames(path: Path) -> np.ndarray:
    """The decoded frames of a video, uint8 [frames, height, width, 3]."""
    import av

    with av.open(path) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def assert_same_bits(one, other):
    """Compare two dictionaries of tensors and plain values exactly."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, other[name]), name
        else:
            assert value == other[name], name


def filled(lines: list[np.ndarray], size: tuple[float, float], unit: float) -> np.ndarray:
    """Where an odd number of lines is around the middle of a pixel, `unit` mm fine."""
    high, wide = round(size[1] / unit), round(size[0] / unit)
    turns = np.zeros((high, wide + 1), np.int64)
    for line in lines:
        (xa, ya), (xb, yb) = line.T / unit - 0.5, np.roll(line, -1, 0).T / unit - 0.5
        first, last = (
            np.ceil(f(ya, yb)).clip(0, high).astype(int) for f in (np.minimum, np.maximum)
        )
        # The rows whose middle an edge crosses, and the first pixel beyond it.
        edge = np.repeat(np.arange(len(line)), last - first)
        y = np.concatenate([np.arange(low, end) for low, end in zip(first, last, strict=True)])
        x = xa[edge] + (y - ya[edge]) * (xb - xa)[edge] / (yb - ya)[edge]
        np.add.at(turns, (y, np.ceil(x).clip(0, wide).astype(int)), 1)
    return np.cumsum(turns, 1)[:, :-1] % 2 == 1


def listed_under(bad: list[tuple[str, str, type]]):
    """A decorator that lists a class in `bad` with the check it must fail and the message."""

    def mark(check: str, says: str):
        def listed(cls: type) -> type:
            bad.append((check, says, cls))
            return cls

        return listed

    return mark


class Blob(Splat):
    @dataclass(frozen=True)
    class Options:
        blend: Literal["sum", "mean", "normalized", "depth", "over"] = option("sum", "the blend")

    params = {
        "size": Param(init=init.from_spacing(0.6), min=pixels(0.5), max=0.8, lr=0.05, map="exp"),
    }

    @property
    def blend(self):
        return self.options.blend

    def footprint(self, dx, dy, p):
        return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))

    def radius(self, p):
        return 2.6 * p.size


def use_index(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Let pip ask the index at `url` alone."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", url)
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)


def wait_until(holds: Callable[[], object], alive: Callable[[], bool] = lambda: True) -> None:
    """Wait for a condition; its limit only ends a test that hangs."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert alive(), "it ended too early"
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def with_few_frames(arguments: list[str]) -> list[str]:
    """A command that renders, with ten frames per second in its films unless it says how many."""
    films = any(word.endswith((".mp4", ".webm", ".gif", ".webp", ".apng")) for word in arguments)
    renders = arguments[0] in ("render", "morph") and films and "--fps" not in arguments
    return [*arguments, "--fps", "10"] if renders else arguments
