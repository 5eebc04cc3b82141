"""Checks of engines: only steps count, states are complete, the best is kept."""

from __future__ import annotations

import copy
import json
import math

import torch
from torch import Tensor

from artgen.base.errors import ArtgenError, PluginError
from artgen.engines import Engine, Problem, Report
from artgen.engines.protocols import Recovers
from artgen.losses import Loss, Term, mse
from artgen.plan import check_families
from artgen.raster import draw, reconstruct
from artgen.registry import Entry
from artgen.targets import set_from_arrays
from artgen.testing.candidate import CANVAS, Candidate, Offer, picture, pictures
from artgen.testing.names import names
from artgen.testing.run_checks import Failed, basic, count_options
from artgen.testing.side_effects import (
    CLOCK,
    FILES,
    check_same,
    check_side_effects,
    differing,
    no_calls,
)
from artgen.values.drawing import Drawing

PARTS, STEPS = 8, 40
_LOSS = Loss((Term(1.0, "mse", mse),))
_WEIGHT = torch.linspace(0, 2, CANVAS.width).repeat(CANVAS.height, 1)


@basic
def schema(offer: Offer) -> str:
    """The options are a frozen dataclass, with help, and steps can be taken with the defaults.

    Use `@dataclass(frozen=True)` and `option(default, "help", low=..., high=...)`.
    """
    check_families(offer.loaded, offer.name, offer.registry)
    return f"{count_options(offer.loaded.Options)} options, with {_primitive(offer).name}"


@basic
def steps(offer: Offer) -> None:
    """It counts its steps, and gives drawings of the primitive and reports of the type `Report`.

    Add 1 to `self.step` in every step; return `Report(self.step, loss, psnr, improved)`.
    """
    engine, problem = _started(offer)
    for taken in (0, 1, 4):
        if taken:
            engine.advance(taken - engine.step)
        if engine.step != taken:
            raise Failed(f"step is {engine.step} after {taken} steps", offer.loaded.advance)
        report = engine.report()
        if not isinstance(report, Report):
            found = type(report).__name__
            raise Failed(f"report gives {found}, not artgen.engines.Report", offer.loaded.report)
        if report.step != taken:
            raise Failed(f"a report says step {report.step} at {taken}", offer.loaded.report)
        for best in (False, True):
            problem.primitive.check_tensors(engine.drawing(best))


def chunks(offer: Offer) -> None:
    """Chunks of 1, 7 and 1000 steps give the same bits.

    Depend on `problem.progress(self.step)` only; draw random numbers per step, not per call.
    """
    whole = _run(offer, 1000)
    for chunk in (1, 7):
        _same(whole, _run(offer, chunk), f"chunks of {chunk} and of 1000 steps", offer)


def resume(offer: Offer) -> None:
    """Continued from its state in a new engine, it gives the same bits.

    Put everything that `advance` reads into `state_dict`, generators included: tensors and plain
    JSON values, which are copies.
    """
    engine, _ = _started(offer)
    _advance(engine, 9, 9)
    engine.report()
    state = engine.state_dict()
    try:
        json.dumps({name: value for name, value in state.items() if not isinstance(value, Tensor)})
    except (TypeError, ValueError) as error:
        raise Failed(f"the state is not plain JSON: {error}", offer.loaded.state_dict) from None
    kept = copy.deepcopy(state)
    other, _ = _started(offer)
    other.load_state_dict(copy.deepcopy(state))
    if other.step != engine.step:
        title = f"loaded at step {engine.step}, step is {other.step}"
        raise Failed(title, offer.loaded.load_state_dict)
    for each in (engine, other):
        _advance(each, STEPS, 7)
    _same(_ended(engine), _ended(other), "an uninterrupted and a resumed fit", offer)
    for name, value in kept.items():
        if isinstance(value, Tensor) and not torch.equal(value, state[name]):
            raise Failed(f"a state changes while the fit goes on: {name}", offer.loaded.state_dict)


def best(offer: Offer) -> None:
    """The best drawing is that of the report with the lowest loss, which is its true loss.

    Compare in `report`, keep a copy of the drawing, and evaluate the whole picture, weighted.
    """
    engine, problem = _started(offer)
    lowest, kept = math.inf, problem.drawing
    for taken in range(0, STEPS + 1, 5):
        _advance(engine, taken, 5)
        now = engine.drawing(best=False).detach()
        report = engine.report()
        true = _loss(problem, now)
        if not abs(report.loss - true) <= 1e-3 * true + 1e-7:
            title = f"a report gives the loss {report.loss:.5g}, the drawing has {true:.5g}"
            raise Failed(title, offer.loaded.report)
        if report.improved != (report.loss < lowest):
            raise Failed(f"improved is {report.improved} at step {taken}", offer.loaded.report)
        if report.improved:
            lowest, kept = report.loss, now
        _same((kept, 0.0), (engine.drawing(best=True), 0.0), f"the best until {taken}", offer)


def weights(offer: Offer) -> None:
    """Pixels count by their weights, as masks and the focus ask.

    Give `problem.weight` to the loss in every step.
    """
    if _started(offer)[1].weight is None:  # of a set
        return
    plain, weighted = (_run(offer, 7, weight)[0] for weight in (None, _WEIGHT))
    if not differing(plain.tensors, weighted.tensors):
        raise Failed("a fit with weights is the same as one without", offer.loaded.advance)


def recovery(offer: Offer) -> str:
    """After `recover` it continues from a drawing at least as good as the best.

    Return to the best parameters, and forget moments that belong to others.
    """
    engine, problem = _started(offer)
    if not isinstance(engine, Recovers):
        return "has no recover"
    _advance(engine, 10, 5)
    engine.report()
    _advance(engine, 20, 5)
    engine.recover(0.5)
    now, before = (_loss(problem, engine.drawing(best)) for best in (False, True))
    if not now <= before + 1e-3 * abs(before) + 1e-7:
        title = f"after recover, the loss is {now:.5g}, that of the best is {before:.5g}"
        raise Failed(title, offer.loaded.recover)
    engine.advance(3)
    return "recovers"


def purity(offer: Offer) -> None:
    """It reads no clock, prints nothing, opens no files and leaves its problem as it is.

    Use a `torch.Generator` seeded by `problem.seed`, and clone tensors before changing them.
    """
    engine, problem = _started(offer)
    tensors = {"target": problem.target, **problem.drawing.tensors}
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    with check_side_effects(offer), no_calls(offer, CLOCK | FILES):
        engine.start(problem)
        _advance(engine, 8, 4)
        engine.report()
        engine.state_dict()
    for name in differing(before, tensors):
        raise Failed(f"it changes {name} of its problem in place", offer.loaded.advance)


def seed(offer: Offer) -> None:
    """The same seed gives the same bits.

    Take random numbers from generators that are seeded by `problem.seed` in `start`.
    """
    _same(_run(offer, 7), _run(offer, 7), "two fits with the same seed", offer)


def progress(offer: Offer) -> str:
    """It lowers the loss of two pictures within 40 steps.

    Look at the sizes of its steps: with small ones nothing changes, with large ones nothing stays.
    """
    remarks = []
    for subject in ("disc", "ramp"):
        engine, _ = _started(offer, subject)
        first = engine.report().loss
        losses = []
        for taken in range(5, STEPS + 1, 5):
            _advance(engine, taken, 5)
            losses.append(engine.report().loss)
        if not min(losses) < first:
            title = f"{subject}: the loss is {first:.4g}, after {STEPS} steps {min(losses):.4g}"
            raise Failed(title, offer.loaded.advance)
        remarks.append(f"{subject} {first:.3g} to {min(losses):.3g}")
    return ", ".join(remarks)


CHECKS = (names, schema, steps, seed, chunks, resume, best, weights, recovery, purity, progress)


def _primitive(offer: Offer) -> Entry:
    """Return a primitive that names the engine, or of its families; of its own plugin if possible.

    It is for pictures, or for sets of pictures if there is none.
    """
    name, registry = offer.registry.spelling(offer.entry), offer.registry
    entries = registry.entries("primitive")
    entries.sort(key=lambda entry: entry.plugin != offer.entry.plugin)
    for kind in ("image", "set"):
        for entry in entries:
            cls = entry.load()
            named = {name, offer.name} & set(cls.engines) or cls.family in offer.loaded.families
            if named and kind in cls.targets:
                return entry
    return registry.find("primitive", "gaussian")


def _started(
    offer: Offer, subject: str = "disc", weight: Tensor | None = _WEIGHT
) -> tuple[Engine, Problem]:
    """Start an engine on a picture. Raises Failed if it refuses the primitive."""
    entry = _primitive(offer)
    candidate = Candidate(entry, offer.registry, entry.load())
    first = offer.loaded.first_count(candidate.primitive(), {}, PARTS)
    primitive, drawing = candidate.drawing(count=first, seed=4)
    goal, training, test = picture(CANVAS), None, None
    if candidate.sample is not None:
        images, labels = pictures()
        tensors = set_from_arrays(images if subject == "disc" else images[::-1], labels).tensors()
        goal, training, test, weight = tensors.goal, tensors.training, tensors.test, None
    elif subject == "ramp":
        goal = goal.flip(-1).roll(5, -2).sqrt()
    engine: Engine = offer.loaded()
    given = primitive, drawing, goal, _LOSS, STEPS, 11, weight
    problem = Problem(*given, training=training, test=test, count=PARTS)
    try:
        engine.start(problem)
    except PluginError:
        raise
    except ArtgenError as error:
        raise Failed(f"it refuses {entry.name}: {error.message}", offer.loaded.start) from None
    return engine, problem


def _advance(engine: Engine, until: int, chunk: int) -> None:
    """Take steps as the runner does; an engine that has finished may take fewer."""
    while engine.step < until and not getattr(engine, "finished", False):
        before = engine.step
        engine.advance(min(chunk, until - engine.step))
        if engine.step == before:
            raise Failed("advance does not change step", type(engine).advance)


def _run(offer: Offer, chunk: int, weight: Tensor | None = _WEIGHT) -> tuple[Drawing, float]:
    engine, _ = _started(offer, weight=weight)
    for until in (20, STEPS):
        _advance(engine, until, chunk)
        ended = _ended(engine)
    return ended


def _ended(engine: Engine) -> tuple[Drawing, float]:
    return engine.drawing(best=False).detach(), engine.report().loss


@torch.no_grad()
def _loss(problem: Problem, drawing: Drawing) -> float:
    if problem.test is None:
        image = draw(drawing, problem.primitive)
    else:
        image = reconstruct(problem.primitive, drawing.tensors, problem.test)
    return float(_LOSS(image, problem.target, problem.weight))


def _same(
    one: tuple[Drawing, float], other: tuple[Drawing, float], what: str, offer: Offer
) -> None:
    check_same(one[0].tensors, other[0].tensors, f"{what} differ", offer.loaded.advance)
    if one[1] != other[1]:
        raise Failed(f"{what} report {one[1]!r} and {other[1]!r}", offer.loaded.report)
