"""NaN and infinity, and extreme targets and counts."""

from __future__ import annotations

import random
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from artgen import ArtgenError
from artgen.errors import Diverged, PluginError
from artgen.events import Event, Notice
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import run
from artgen.targets import image_from_array
from soak._promise import Promise, Tally

POISONED = '''
import torch
from artgen import Param, Splat, init


class Poisoned(Splat):
    """A disc whose weight or gradient is not finite after some calls."""

    params = {{"size": Param(init=init.constant(0.4), map="exp")}}
    calls = 0

    def footprint(self, dx, dy, p):
        type(self).calls += 1
        weight = torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))
        if type(self).calls {when}:
            weight = {what}
        return weight

    def radius(self, p):
        return 4 * p.size
'''

POISONS = {
    "NaN in a footprint": "weight * float('nan')",
    "infinity in a footprint": "weight + float('inf')",
    "NaN in a gradient alone": "weight + 0 * torch.sqrt(p.size - p.size)",
}


def poison(tally: Tally, small: bool) -> None:
    """Footprints with values or gradients that are not finite, once or from some step on."""
    for label, what in POISONS.items():
        for at in (9, 40) if small else (3, 9, 20, 40, 80):
            for once in (True, False):
                when = f"in range({at}, {at + 1})" if once else f"> {at}"
                name = f"{label}, call {at}{'' if once else ' and later'}"
                found = _poisoned(POISONED.format(when=when, what=what), once)
                # Where every footprint is NaN from then on, the best cannot be drawn either.
                lost = what == POISONS["NaN in a footprint"] and not once
                tally.case(name, *(found or [None if lost else "nothing is saved"]))


def _poisoned(source: str, once: bool) -> list[str | None]:
    """What is wrong with a run whose numbers are not finite; nothing where nothing is saved."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "poisoned.py"
        file.write_text(source)
        stages = {"engine": "gradient", "steps": 60}
        table = {"primitive": {"name": "poisoned", "count": 4}, "stage": [stages], "seed": 1}
        recipe = Recipe.from_dict({**table, "run": {"backend": "eager", "threads": 1}})
        seen: list[Event] = []
        try:
            outcome = run(
                recipe,
                Registry(files=[file], environ={}),
                target=_target(np.random.default_rng(1).random((8, 12, 3))),
                out=Path(name) / "out",
                observers=[seen.append],
            )
        except (Diverged, PluginError):
            return []
        recoveries = sum("back to the best" in e.message for e in seen if isinstance(e, Notice))
        drawn = torch.cat([t.flatten() for t in outcome.art.drawing.tensors.values()])
        found = outcome.error
        return [
            None if drawn.isfinite().all() else "what was saved is not finite",
            f"{recoveries} recoveries" if recoveries > 3 else None,
            "it went on after three" if recoveries == 3 and once else None,
            None if found is None or isinstance(found, Diverged) else f"{type(found).__name__}",
            "a single fault ended it" if once and found is not None else None,
        ]


def degenerate(tally: Tally, small: bool) -> None:
    """Pictures and counts with nothing, or almost nothing, to fit."""
    rng = np.random.default_rng(2)
    noise = rng.random((9, 7, 3))
    pictures = {
        "black": np.zeros((6, 8, 3)),
        "white": np.ones((6, 8, 3)),
        "one pixel": noise[:1, :1],
        "one row": rng.random((1, 60, 3)),
        "one column": rng.random((60, 1, 3)),
        "two pixels": noise[:1, :2],
        "noise": noise,
    }
    primitives = ["gaussian", "fourier", "stroke", "triangle", "rotated_ellipse", "bezier", "mlp"]
    for label, picture in pictures.items():
        for primitive in primitives[:4:3] + primitives[-1:] if small else primitives:
            for count in (None,) if primitive == "mlp" else (1, 9):
                asked = {"primitive": {"name": primitive, "count": count}}
                tally.case(f"{label}, {primitive} {count}", _runs(asked, picture))
    for primitive in ("gaussian", "triangle"):
        problem = _runs({"primitive": {"name": primitive, "count": 0}}, noise) or "it was accepted"
        tally.case(f"no {primitive}", None if problem.startswith(REFUSED) else problem)
    if not small:
        asked = {"primitive": {"name": "gaussian", "count": 1_000_000}, "target": {"size": 64}}
        tally.case("a million splats", _runs({**asked, "stage": [{"steps": 1}]}, noise))


FAMILIES = {
    "splats": ["gaussian", "fourier", "stroke"],
    "shapes": ["triangle", "circle", "line", "polygon", "rotated_rectangle", "triangle*3+ellipse"],
    "fields": ["mlp", "siren", "hashgrid", "fourier_features"],
}


def any_recipe(tally: Tally, small: bool) -> None:
    """Recipes drawn from everything that a recipe may say."""
    rng = random.Random("recipes")
    picture = np.random.default_rng(3).random((6, 9, 3))
    count, refused = 40 if small else 2000, 0
    for number in range(count):
        problem = _runs(_draw_recipe(rng), picture)
        named = problem is not None and problem.startswith(REFUSED)
        refused += named
        tally.case(f"recipe {number}", None if named else problem)
    tally.measurements["refused with a reason"] = f"{refused} of {count}"
    tally.case("most of them run", "too few" if refused > count / 2 else None)


def _draw_recipe(rng: random.Random) -> dict[str, Any]:
    def maybe(**values: Sequence[Any]) -> dict[str, Any]:
        return {key: rng.choice(some) for key, some in values.items() if rng.random() < 0.3}

    family, names = rng.choice(list(FAMILIES.items()))
    primitive = {"name": rng.choice(names)}
    stage = {"steps": rng.choice([1, 2, 5]), **maybe(target_psnr=[1.0, 50.0], plateau=[1])}
    losses = maybe(loss=["mse", "l1", "l1+0.1*ssim", "rmse", "mse+0.5*oklab"])
    rates = maybe(rate=[1e-6, 1.0, 100.0, 1e6], optimizer=["adam", "adamw"], warmup=[0, 3])
    output = maybe(still_size=[1, 20])
    target = maybe(size=[1, 4, 9], background=["black", "auto", "#ff0080"])
    if family == "splats":
        primitive |= maybe(
            count=[1, 2, 7, 30],
            blend=["sum", "mean", "normalized", "depth", "over"],
            visibility=["full", "buffer"],
        )
        stage |= losses | rates | maybe(coarse=[0.5], soften=[0.0, 1.0], start=[0.5])
    elif family == "shapes":
        primitive |= maybe(count=[1, 3, 8])
        stage |= maybe(alpha=[0.3, 1.0], passes=[0, 2], restarts=[1, 8], moves=[1, 20])
        target |= maybe(palette=[2, 16])
        output |= maybe(transparent=[True])
    else:
        stage |= losses | rates | maybe(batch=[0, 1, 50])
    if rng.random() < 0.2:
        rng.choice([primitive, stage]).update(rng.choice([{"alfa": 1}, {"engine": "solve"}]))
    return {
        "seed": rng.randrange(100),
        "primitive": primitive,
        "stage": [stage] * rng.choice([1, 1, 2]),
        "target": target,
        "run": maybe(precision=["fp32", "auto", "fp16", "int8"], backend=["auto", "eager"]),
        "output": output,
    }


REFUSED = "refused: "


def _runs(asked: dict[str, Any], picture: np.ndarray) -> str | None:
    """What is wrong with a small run in memory, or why it was refused; None where it ends well."""
    table = {"seed": 1, "stage": [{"steps": 3}], **asked}
    table["run"] = {"threads": 1, **table.get("run", {})}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            outcome = run(Recipe.from_dict(table), _registry(), target=_target(picture))
        finite = all(t.isfinite().all() for t in outcome.art.drawing.tensors.values())
        shown = outcome.art.render(5)
        assert shown.dtype == np.uint8
    except ArtgenError as error:
        return f"{REFUSED if 2 <= error.exit_code <= 6 else ''}{type(error).__name__}: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]
    return None if finite else "what was drawn is not finite"


def _registry() -> Registry:
    return Registry(environ={"ARTGEN_PLUGINS": ""})


def _target(picture: np.ndarray) -> Any:
    return image_from_array(np.rint(picture * 255).astype(np.uint8))


# ---- bugs ----------------------------------------------------------------------------------------


def _never_gives_up() -> Any:
    """The engine goes back to the best again and again."""
    from artgen.runs.loop import recovery

    return patch.object(recovery, "RECOVERIES", 12)


def _divides_by_pixels() -> Any:
    """A metric is divided by one less than the pixels there are."""
    from artgen.runs.job import Job

    metrics = Job.metrics

    def wrong(job: Any, picture: Any) -> Any:
        return metrics(job, picture) | {"psnr": 1.0 / (picture.pixels.size - 3)}

    return patch.object(Job, "metrics", wrong)


def _accepts_all() -> Any:
    """Wrong combinations are found out by what breaks."""
    from artgen.runs.kinds.picture import run as picture

    def resolve(*given: Any, **options: Any) -> Any:
        try:
            return before(*given, **options)
        except ArtgenError as error:
            raise KeyError(str(error)) from None

    before = picture.make_plan
    return patch.object(picture, "make_plan", resolve)


PROMISES = [
    Promise(
        "not-finite",
        "If a fit or a plugin produces NaN or infinity, the run returns to the best at half the "
        "rate, at most three times, and then ends with the best saved.",
        "Footprints of a plugin that return NaN at some call, once or from then on.",
        poison,
        _never_gives_up,
        "the engine returns to the best twelve times",
    ),
    Promise(
        "degenerate",
        "Pictures of one colour, one pixel or one row can be fitted.",
        "Every family on degenerate pictures, with one part and with several.",
        degenerate,
        _divides_by_pixels,
        "a metric is divided by one pixel too few",
    ),
    Promise(
        "any-recipe",
        "Every recipe runs, or is refused with an error that says why.",
        "Random small recipes of splats, shapes and fields with the keys of their fits, some with an "
        "unknown word.",
        any_recipe,
        _accepts_all,
        "combinations are not checked before the run",
    ),
]
