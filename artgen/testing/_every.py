"""Checks of every primitive, whatever its family: options, first drawings, files, a short fit."""

from __future__ import annotations

import dataclasses
import json
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from artgen.art import Art, load, quantised
from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.errors import did_you_mean
from artgen.events import Evaluated, Event
from artgen.primitives import Context, Param, Primitive
from artgen.raster import draw
from artgen.recipe import Recipe
from artgen.resolve import Plan, resolve
from artgen.runner import run
from artgen.subject import ImageSet
from artgen.targets import Target, image_from_array, set_from_arrays
from artgen.testing._judging import Failed
from artgen.testing._subject import CANVAS, Subject, Variant, picture, pictures
from artgen.views import open_view

__all__ = [
    "documentation",
    "drawing",
    "init",
    "learning",
    "options",
    "randomness",
    "round_trip",
    "schema",
    "seed",
]

SIZES = [Canvas(1, 1), Canvas(7, 5), Canvas(3, 50), Canvas(64, 64)]
COUNTS = [1, 2, 9]
FIT_STEPS = 30


def schema(subject: Subject) -> str:
    """Options, presets and defaults resolve to a recipe, and survive being stored as JSON.

    Correct what is named: it would fail in every `artgen fit`.
    """
    cls = subject.cls
    parameters = getattr(cls.Options, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        raise Failed(f"{cls.__name__}.Options is not a dataclass with frozen=True")
    known = [entry.name for entry in subject.registry.entries("engine")]
    if not cls.engines:
        raise Failed(f"{cls.__name__}.engines is empty")
    for engine in cls.engines:
        if engine not in known:
            raise Failed(f"there is no engine {engine!r}: {did_you_mean(engine, known)}")
    for variant in subject.variants:
        primitive = _plan(subject, variant).primitive
        values = primitive.option_values()
        if json.loads(json.dumps(values)) != values:
            raise Failed(f"options of {subject.label(variant)} change in JSON: {values}")
        # Defaults are not checked when they are taken, only when they are given.
        cls(values)
        for name, param in primitive.parameters().items():
            if not isinstance(param, Param):
                raise Failed(f"{subject.label(variant)} has {name}, which is no Param: {param!r}")
    return f"options: {len(subject.options)}, presets: {len(cls.presets)}"


def documentation(subject: Subject) -> None:
    """Users can find out what it is: a docstring, and the help and bounds of every option.

    Write what is missing, for `artgen plugins show`: `option(default, "help", low=..., high=...)`.
    """
    cls = subject.cls
    if not (vars(cls).get("__doc__") or "").strip():
        raise Failed(f"{cls.__name__} has no docstring")
    for name, option in subject.options.items():
        if not (option.metadata.get("help") or "").strip():
            raise Failed(f"option {name} of {cls.__name__} has no help")
        number = isinstance(option.default, int | float) and not isinstance(option.default, bool)
        bounds = option.metadata.get("low"), option.metadata.get("high")
        if number and bounds == (None, None):
            raise Failed(f"option {name} of {cls.__name__} has neither a low nor a high bound")


def options(subject: Subject) -> str:
    """Every choice of every option draws, and so does every number at its bounds.

    Narrow the bounds of the option, or make the footprint hold at them.
    """
    variants = [*subject.variants, *subject.variants_of(_ends)]
    for variant in variants:
        _finite_picture(subject, *subject.drawing(variant), variant, CANVAS)
    return f"variants: {len(variants)}"


def init(subject: Subject) -> None:
    """A first drawing is finite, float32 and as declared, at any size, for one part or several.

    Look at the parameter's `init`: `context.target` may be None, and the canvas a single pixel.
    """
    for variant in subject.variants:
        for canvas in SIZES:
            for count in COUNTS:
                for target in (True, False):
                    primitive, made = subject.drawing(
                        variant, canvas, count=count, seed=count, target=target
                    )
                    where = f"{count} parts on {canvas.width}x{canvas.height} pixels"
                    where += "" if target else " without a target"
                    _check_tensors(subject.label(variant), primitive, made, where)


def seed(subject: Subject) -> None:
    """The same seed gives the same first drawing and the same fit, bit for bit.

    Take every random number from `context.random` or `context.randn`, or from the `rng` of a shape;
    keep nothing between calls.
    """
    for variant in subject.variants:
        what = "random" if subject.cls.family == "shape" else "init"
        _same(subject.label(variant), what, *(_drawn(subject, variant, n) for n in (1, 2)))
    if subject.cls.engines:
        first, second = (_fit(subject, subject.cls.engines[0], entropy=n) for n in (1, 2))
        _same(subject.cls.__name__, "a fit", first[0].tensors, second[0].tensors)


def randomness(subject: Subject) -> None:
    """No global random generator is touched: neither torch's, nor numpy's, nor Python's.

    Take every random number from `context.random` or `context.randn`, or from the `rng` of a shape;
    do not set seeds.
    """
    for variant in subject.variants:
        before = _generators()
        primitive, made = subject.drawing(variant, moved=True)
        _shown(made, primitive)
        for name, state in _generators().items():
            if state != before[name]:
                raise Failed(f"{subject.label(variant)} changes the global generator of {name}")


def drawing(subject: Subject) -> None:
    """A drawing is finite at the size of the fit and at any other, one pixel included.

    Look for a division by zero, a root or logarithm of what may be negative, an overflow.
    """
    for variant in subject.variants:
        for moved in (False, True):
            for count in (1, 6):
                primitive, made = subject.drawing(variant, count=count, moved=moved)
                for canvas in (*SIZES, CANVAS):
                    _finite_picture(subject, primitive, made, variant, canvas)


def round_trip(subject: Subject) -> None:
    """A drawing that is saved to an `.art` file and loaded draws the same bits.

    Keep all that drawing needs in parameters and options: attributes of `self` are not saved.
    """
    for variant in subject.variants:
        primitive, made = subject.drawing(variant, moved=True)
        recipe = _plan(subject, variant).recipe
        art = Art(made, recipe, registry=subject.registry)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "saved.art"
            art.save(path)
            loaded = load(path, registry=subject.registry)
        again = _shown(loaded.drawing, loaded.primitive())
        if not torch.equal(_shown(made, primitive), again):
            raise Failed(f"{subject.label(variant)} draws something else after save and load")
        if loaded.to_bytes() != art.to_bytes():
            raise Failed(f"{subject.label(variant)} is not the same file when saved again")
        for precision in ("fp16", "int8"):
            stored = quantised(made, precision)
            _finite_picture(subject, primitive, stored, variant, CANVAS, f" stored as {precision}")


def learning(subject: Subject) -> str:
    """Every engine it names lowers the loss of a small picture within 30 steps.

    Look at the learning rates: too small and nothing moves, too large and it jumps about.
    """
    remarks = []
    for engine in subject.cls.engines:
        _, losses = _fit(subject, engine)
        first, best = losses[0], min(losses)
        if not best < first:
            raise Failed(
                f"{engine} did not lower the loss of {subject.cls.__name__} "
                f"in {FIT_STEPS} steps: {first:.4g}, at best {best:.4g}"
            )
        remarks.append(f"{engine} {first:.3g} to {best:.3g}")
    return ", ".join(remarks)


# ---- helpers -------------------------------------------------------------------------------------


def _plan(subject: Subject, variant: Variant) -> Plan:
    """The variant as `artgen fit` would resolve it. Raises UsageError, PluginError."""
    table = {"name": subject.registry.spelling(subject.entry), **variant.options}
    if variant.preset:
        table["preset"] = variant.preset
    recipe = Recipe.from_dict({"primitive": table})
    return resolve(recipe, subject.registry, CANVAS, subject.sample)


def _ends(kind: Any, option: dataclasses.Field[Any]) -> list[Any]:
    """The bounds of a number; not the upper one of an integer, which may be a size."""
    low, high = option.metadata.get("low"), option.metadata.get("high")
    ends = [low] if kind is int else [low, high]
    return [kind(end) for end in ends if end is not None] if kind in (int, float) else []


def _shown(made: Drawing, primitive: Primitive, canvas: Canvas | None = None) -> Tensor:
    """A drawing as floats [3, height, width]; of a codec its sheet."""
    if not isinstance(made.subject, ImageSet):
        return draw(made, primitive, canvas)
    pixels = open_view(made, primitive, canvas).show(made).pixels
    return torch.from_numpy(pixels).permute(2, 0, 1) / 255


def _finite_picture(
    subject: Subject,
    primitive: Primitive,
    made: Drawing,
    variant: Variant,
    canvas: Canvas,
    how: str = "",
) -> None:
    image = _shown(made, primitive, canvas)
    expected = (3, canvas.height, canvas.width)
    where = f"{subject.label(variant)}{how} on {canvas.width}x{canvas.height} pixels"
    if tuple(image.shape) != expected:
        raise Failed(f"{where} draws {list(image.shape)}, not {list(expected)}")
    bad = int((~image.isfinite()).sum())
    if bad:
        raise Failed(f"{where} draws {bad} of {image.numel()} values that are NaN or infinite")


def _check_tensors(label: str, primitive: Primitive, made: Drawing, where: str) -> None:
    context = Context(torch.Generator(), made.canvas, primitive.count_of(made))
    for name, param in primitive.parameters().items():
        tensor = made.tensors[name]
        if not bool(tensor.isfinite().all()):
            raise Failed(f"{label}: init of {name} is NaN or infinite for {where}")
        low, high = param.bounds(context)
        if not low <= high:
            raise Failed(f"{label}: {name} has min {low:.3g} above max {high:.3g} for {where}")
        kept = param.map(param.map.inverse(tensor))
        gap = (kept - tensor).abs()
        if not torch.allclose(kept, tensor, rtol=1e-3, atol=1e-4):
            value = float(tensor.flatten()[int(gap.argmax())])
            raise Failed(
                f"{label}: init of {name} is {value:.3g}, which its map {param.map.function!r} "
                f"cannot reach, for {where}"
            )


def _drawn(subject: Subject, variant: Variant, entropy: int) -> dict[str, Tensor]:
    """The first drawing's tensors, with global generators seeded by `entropy`."""
    with _seeded(entropy):
        return dict(subject.drawing(variant, seed=5)[1].tensors)


def _fit(subject: Subject, engine: str, entropy: int = 0) -> tuple[Drawing, list[float]]:
    """The drawing after a short fit, and the losses on the way."""
    losses: list[float] = []

    def watch(event: Event) -> None:
        if isinstance(event, Evaluated):
            losses.append(event.loss)

    table: dict[str, Any] = {"name": subject.registry.spelling(subject.entry)}
    if subject.cls.has_count:
        table["count"] = 8
    recipe = Recipe.from_dict(
        {
            "seed": 3,
            "primitive": table,
            "stage": [{"engine": engine, "steps": FIT_STEPS}],
            "output": {"video": False},
            # The clock decides between arithmetics unless one is asked for.
            "run": {"device": "cpu", "backend": "eager", "threads": 1, "arithmetic": "fp32"},
        }
    )
    target: Target = image_from_array(picture(CANVAS).permute(1, 2, 0).numpy())
    if subject.sample is not None:
        target = set_from_arrays(*pictures())
    with _seeded(entropy):
        outcome = run(recipe, subject.registry, target=target, observers=[watch])
    if outcome.error is not None:
        raise outcome.error
    return outcome.art.drawing, losses


def _same(label: str, what: str, first: Any, second: Any) -> None:
    for name, tensor in first.items():
        if not torch.equal(tensor, second[name]):
            gap = float((tensor - second[name]).abs().max())
            raise Failed(
                f"{label}: {what} with the same seed differs in {name}, by up to {gap:.3g}"
            )


def _generators() -> dict[str, Any]:
    """The states of all global generators, comparable."""
    return {
        "torch": torch.get_rng_state().tolist(),
        "numpy": [np.asarray(part).tolist() for part in np.random.get_state()],
        "Python": random.getstate(),
    }


@contextmanager
def _seeded(entropy: int) -> Iterator[None]:
    """Global generators that begin with `entropy`, and are afterwards what they were."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    torch.manual_seed(entropy)
    np.random.seed(entropy)
    random.seed(entropy)
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])
