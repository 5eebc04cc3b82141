"""Three ideas as plugins of artgen and as scripts of plain torch: lines, seconds and likeness.

The files are in `benchmarks/same_ideas`: a new footprint (`ripple`), a loss that draws colours
towards a palette, and an engine that searches at random. Lines are those of code; a script starts
from an array and also initialises, draws and saves, while a plugin is run by `artgen fit --plugin`.
Both sides take the same steps with the same count on one thread.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import time
import tokenize
from collections.abc import Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any

import torch
from skimage import data
from torch import Tensor

import artgen
from artgen.targets import Target
from benchmarks._measure import one_thread
from benchmarks._report import Sample, Table, figure
from benchmarks._settings import Settings
from benchmarks.same_ideas.artgen_palette import palette
from benchmarks.same_ideas.artgen_ripple import Ripple
from benchmarks.same_ideas.artgen_search import RandomSearch

SIZE, COUNT, ROUNDS = 96, 100, 3
IDEAS: dict[str, tuple[int, dict[str, Any]]] = {
    "ripple": (200, {"primitive": Ripple}),
    "palette": (200, {"loss": palette}),
    "search": (500, {"engine": RandomSearch}),
}
"""The steps of each idea, and what of it `artgen.fit` takes."""


def lines(module: ModuleType) -> int:
    """The number of lines of code, without docstrings, comments and blank lines."""
    text = inspect.getsource(module)
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in layout and token.string:
            code |= {*range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            docstring = node.body[0]
            code -= {*range(docstring.lineno, (docstring.end_lineno or 0) + 1)}
    return len(code)


def psnr(image: Tensor, goal: Tensor) -> float:
    """The PSNR in dB of a picture [3, height, width], rounded to 8 bits."""
    rounded = (255 * image.clamp(0, 1)).round() / 255
    return float(-10 * (rounded - goal).square().mean().log10())


def fitted(target: Target, count: int, steps: int, parts: Mapping[str, Any]) -> Tensor:
    """The picture [3, height, width] that artgen makes."""
    art = artgen.fit(target, count=count, steps=steps, seed=1, threads=1, **parts)
    return torch.from_numpy(art.render()).permute(2, 0, 1) / 255


def run(settings: Settings) -> Iterator[Table]:
    size, count, rounds = (32, 10, 1) if settings.quick else (SIZE, COUNT, ROUNDS)
    target = artgen.targets.image_from_array(data.coffee(), artgen.targets.TargetRequest(size=size))
    goal, rows = target.tensors().goal, []
    for name, (asked, parts) in IDEAS.items():
        steps = 3 if settings.quick else asked
        plugin, script = (
            importlib.import_module(f"benchmarks.same_ideas.{side}_{name}")
            for side in ("artgen", "torch")
        )
        sides = {
            "artgen": (plugin, partial(fitted, target, count, steps, parts)),
            "torch": (script, partial(script.fit, goal, count, steps, 1)),
        }
        for side, (module, fit) in sides.items():
            with one_thread():
                image, seconds = fit(), []
                for _ in range(rounds):
                    began = time.perf_counter()
                    fit()
                    seconds.append(time.perf_counter() - began)
            took = Sample(seconds)
            values = (figure(took), figure(steps / took), figure(psnr(image, goal), 4))
            rows.append((f"{name}, {side}", str(lines(module)), *values))
    columns = ("idea", "lines", "seconds", "steps per second", "PSNR in dB")
    shape = f"{target.canvas.width} x {target.canvas.height}"
    note = f"{count} parts, {shape} pixels, one thread, median of {rounds}, all compiled before."
    yield Table("The same ideas", columns, rows, note)
