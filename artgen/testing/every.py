"""Checks of primitives of all families: options, first drawings, files, a short fit."""

from __future__ import annotations

import json
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from artgen.art import Art, load, quantised
from artgen.base.errors import did_you_mean
from artgen.base.options import OptionInfo
from artgen.display.views import open_view
from artgen.events import Evaluated, Event
from artgen.init import Context
from artgen.plan import Plan, find_names, make_plan
from artgen.primitives import Primitive
from artgen.raster import draw
from artgen.recipe import Recipe
from artgen.targets import Target, image_from_array, set_from_arrays
from artgen.testing.candidate import CANVAS, Candidate, Variant, picture, pictures
from artgen.testing.drawings import fit
from artgen.testing.run_checks import Failed, basic
from artgen.testing.side_effects import check_pure, check_same, seeded
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing
from artgen.values.subject import ImageSet

SIZES = [Canvas(1, 1), Canvas(7, 5), Canvas(3, 50), Canvas(64, 64)]
COUNTS = [1, 2, 9]
FIT_STEPS = 30


@basic
def schema(candidate: Candidate) -> str:
    """Options, presets and defaults resolve to a recipe, and JSON stores them exactly.

    Correct the attribute in the message: it would fail in every `artgen fit`.
    """
    cls = candidate.cls
    parameters = getattr(cls.Options, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        raise Failed(f"{cls.__name__}.Options is not a dataclass with frozen=True")
    known = [entry.name for entry in candidate.registry.entries("engine")]
    if not cls.engines:
        raise Failed(f"{cls.__name__}.engines is empty")
    for engine in cls.engines:
        if engine not in known:
            raise Failed(f"unknown engine {engine!r}: {did_you_mean(engine, known)}")
    for variant in candidate.variants:
        primitive = _plan(candidate, variant).primitive
        values = primitive.option_values()
        if json.loads(json.dumps(values)) != values:
            raise Failed(f"options of {candidate.label(variant)} change in JSON: {values}")
        # Options are checked when they are passed, but not when they are defaults.
        cls(values)
        primitive.parameters()
    return f"options: {len(candidate.options)}, presets: {len(cls.presets)}"


def documentation(candidate: Candidate) -> None:
    """The primitive has a docstring, and every option has help and bounds.

    `artgen plugins show` prints them; use `option(default, "help", low=..., high=...)`.
    """
    cls = candidate.cls
    if not (vars(cls).get("__doc__") or "").strip():
        raise Failed(f"{cls.__name__} has no docstring")
    for option in candidate.options:
        if not option.help.strip():
            raise Failed(f"option {option.name} of {cls.__name__} has no help")
        number = isinstance(option.default, int | float) and not isinstance(option.default, bool)
        if number and option.low is option.high is None:
            raise Failed(
                f"option {option.name} of {cls.__name__} has neither a low nor a high bound"
            )


def options(candidate: Candidate) -> str:
    """The primitive draws with every choice of every option, and with numbers at their bounds.

    Narrow the bounds of the option, or make the footprint work at them.
    """
    variants = [*candidate.variants, *candidate.variants_of(_ends)]
    for variant in variants:
        _finite_picture(candidate.label(variant), *candidate.drawing(variant), CANVAS)
    return f"variants: {len(variants)}"


def init(candidate: Candidate) -> None:
    """Initial parameters are finite, in range and reachable, for any canvas and number of parts.

    Look at the parameter's `init`: `context.target` may be None, and the canvas a single pixel.
    """
    for variant in candidate.variants:
        for canvas, count, target in product(SIZES, COUNTS, (True, False)):
            primitive, made = candidate.drawing(
                variant, canvas, count=count, seed=count, target=target
            )
            where = f"{count} parts on {canvas.width}x{canvas.height} pixels"
            where += "" if target else " without a target"
            _check_tensors(candidate.label(variant), primitive, made, where)


def seed(candidate: Candidate) -> None:
    """The same seed gives the same first drawing and the same fit, bit for bit.

    Take every random number from `context.random` or `context.randn`, or from the `rng` of a shape;
    keep no state between calls.
    """
    for variant in candidate.variants:
        first, again = (_drawn(candidate, variant, entropy) for entropy in (1, 2))
        what = f"{candidate.label(variant)}: a first drawing with the same seed differs"
        check_same(first, again, what)
    for engine in candidate.cls.engines[:1]:
        (one, _), (other, _) = (_fit(candidate, engine, entropy) for entropy in (0, 1))
        what = f"{candidate.cls.__name__}: a fit with the same seed differs"
        check_same(one.tensors, other.tensors, what)


def randomness(candidate: Candidate) -> None:
    """The primitive leaves alone global random generators, settings of torch, the clock and files.

    Take every random number from `context.random` or `context.randn`, or from the `rng` of a shape;
    set neither seeds nor the number of threads, and print to `sys.stderr`.
    """
    for variant in candidate.variants:
        with check_pure(candidate):
            primitive, made = candidate.drawing(variant, moved=True)
            _shown(made, primitive)


@basic
def drawing(candidate: Candidate) -> None:
    """A drawing is finite at the size of the fit and at other sizes, down to one pixel.

    Look for divisions by zero, roots or logarithms of negative numbers, and overflow.
    """
    for variant in candidate.variants:
        for moved in (False, True):
            for count in (1, 6):
                primitive, made = candidate.drawing(variant, count=count, moved=moved)
                for canvas in (*SIZES, CANVAS):
                    _finite_picture(candidate.label(variant), primitive, made, canvas)


def round_trip(candidate: Candidate) -> None:
    """A drawing that is saved, as `.art` or JSON, and loaded gives the same picture, bit for bit.

    Keep everything that drawing needs in parameters and options: no attribute is saved.
    """
    for variant in candidate.variants:
        primitive, made = candidate.drawing(variant, moved=True)
        art = Art(made, _plan(candidate, variant).recipe, registry=candidate.registry)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "saved.art"
            art.save(path)
            loaded = load(path, registry=candidate.registry)
            path = path.with_suffix(".json")
            path.write_text(json.dumps(art.to_dict()), encoding="utf-8")
            described = load(path, registry=candidate.registry)
        again = _shown(loaded.drawing, loaded.primitive())
        if not torch.equal(_shown(made, primitive), again):
            raise Failed(f"{candidate.label(variant)} draws another picture after save and load")
        if not art.to_bytes() == loaded.to_bytes() == described.to_bytes():
            raise Failed(f"{candidate.label(variant)} gives another file when saved again")
        for precision in primitive.precisions:
            label = f"{candidate.label(variant)} stored as {precision}"
            _finite_picture(label, primitive, quantised(made, precision), CANVAS)


def learning(candidate: Candidate) -> str:
    """Every engine of the primitive lowers the loss of a small picture within 30 steps.

    Look at the learning rates: with small ones nothing changes, with large ones the fit diverges.
    """
    remarks = []
    for engine in candidate.cls.engines:
        _, losses = _fit(candidate, engine)
        first, best = losses[0], min(losses)
        if not best < first:
            raise Failed(
                f"{engine} did not lower the loss of {candidate.cls.__name__} "
                f"in {FIT_STEPS} steps: {first:.4g}, at best {best:.4g}"
            )
        remarks.append(f"{engine} {first:.3g} to {best:.3g}")
    return ", ".join(remarks)


def _plan(candidate: Candidate, variant: Variant) -> Plan:
    """Resolve a variant as `artgen fit` does. Raises UsageError, PluginError."""
    table = {"name": candidate.registry.spelling(candidate.entry), **variant.options}
    if variant.preset:
        table["preset"] = variant.preset
    named = find_names(Recipe.from_dict({"primitive": table}), candidate.registry)
    return make_plan(named.with_preset_target(), CANVAS, candidate.sample)


def _ends(option: OptionInfo) -> list[object]:
    """Return the bounds of a number; not the upper one of an integer, which may be a size."""
    ends = {int: [option.low], float: [option.low, option.high]}.get(option.hint, [])
    return [option.hint(end) for end in ends if end is not None]


def _shown(made: Drawing, primitive: Primitive, canvas: Canvas | None = None) -> Tensor:
    """Draw as floats [3, height, width]; a codec draws its sheet."""
    if not isinstance(made.subject, ImageSet):
        return draw(made, primitive, canvas)
    pixels = open_view(made, primitive, canvas).show(made).pixels
    return torch.from_numpy(pixels).permute(2, 0, 1) / 255


def _finite_picture(label: str, primitive: Primitive, made: Drawing, canvas: Canvas) -> None:
    image = _shown(made, primitive, canvas)
    expected = (3, canvas.height, canvas.width)
    where = f"{label} on {canvas.width}x{canvas.height} pixels"
    if tuple(image.shape) != expected:
        raise Failed(f"{where} draws {list(image.shape)}, expected {list(expected)}")
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


def _drawn(candidate: Candidate, variant: Variant, entropy: int) -> dict[str, Tensor]:
    """Return the tensors of the first drawing, with global generators seeded by `entropy`."""
    with seeded(entropy):
        return dict(candidate.drawing(variant, seed=5)[1].tensors)


def _fit(candidate: Candidate, engine: str, entropy: int = 0) -> tuple[Drawing, list[float]]:
    """Run a short fit once, and return its drawing and the losses of its evaluations."""
    return candidate.once((_fit, engine, entropy), lambda: _fitted(candidate, engine, entropy))


def _fitted(candidate: Candidate, engine: str, entropy: int) -> tuple[Drawing, list[float]]:
    losses: list[float] = []

    def watch(event: Event) -> None:
        if isinstance(event, Evaluated):
            losses.append(event.loss)

    table: dict[str, Any] = {"name": candidate.registry.spelling(candidate.entry)}
    if candidate.cls.has_count:
        table["count"] = 8
    tables = {
        "seed": 3,
        "primitive": table,
        "stage": [{"engine": engine, "steps": FIT_STEPS}],
        "output": {"video": False},
        # Without a choice a timing decides, which may differ from run to run.
        "run": {"device": "cpu", "backend": "eager", "threads": 1, "arithmetic": "fp32"},
    }
    target: Target = image_from_array(picture(CANVAS).permute(1, 2, 0).numpy())
    if candidate.sample is not None:
        target = set_from_arrays(*pictures())
    with seeded(entropy):
        art = fit(candidate.registry, tables, target, [watch])
    return art.drawing, losses
