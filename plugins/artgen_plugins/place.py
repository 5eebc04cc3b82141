"""Placing marks of ink: an algorithm finds all of them, and the steps draw one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from artgen import Drawing, Engine, Ink, Primitive
from artgen.engines import Problem, Report, State, check_finite, picture_psnr
from artgen.family import paint, share
from artgen.ink import Sheet, mix
from artgen.targets import LUMA, srgb_to_linear
from artgen_plugins.regions import Floats, closest, lab_of

ROUNDS = 40
"""Rounds of coordinate descent of a separation."""
ROWS = 32
"""Rows of pixels that are separated together."""
DIM = 0.02
"""The light below which the eye sees no smaller differences."""
MEDIAN, CHROMA = 0.55, 0.5
"""The median of what is made brilliant, and how much more chroma that has."""
FACE, INNER, SKIN, GAINS = 0.75, 0.9, 0.55, (0.6, 2.5)
"""The share of the largest weight where a face begins, and of what is above that where it is sure;
the luma which its median gets, and how much lighter it becomes at least and at most."""
NIGHT = 0.15
"""The median luma below which a picture is one of a night."""
SEEN = 0.15
"""The difference of luma below which ink is hardly seen on its paper."""
PLAIN = 0.1
"""The range of red, green and blue up to which a picture is of nearly one colour."""
MOST_STEPS = 400
"""More marks are drawn several at a time, unless more steps are asked for."""


class PlaceEngine(Engine):
    """For primitives that define `place`. The marks are found again when a run is resumed."""

    supports = ("palette", "replanning", "views")
    known_deviations: ClassVar[Mapping[str, str]] = {
        "best": "more marks are better, also where their pixels differ more from the target",
        "progress": "ink shows tone as seen from afar, and not the pixels that losses compare",
    }

    @classmethod
    def default_steps(
        cls, primitive: Primitive, options: Mapping[str, Any], count: int | None
    ) -> int | None:
        """A step for each mark, up to a limit."""
        return min(count or 1, MOST_STEPS)

    @classmethod
    def first_count(cls, primitive: Primitive, options: Mapping[str, Any], count: int) -> int:
        """None: the paper is empty."""
        return 0

    def start(self, problem: Problem) -> None:
        """Separate the target into inks and place all marks.

        Raises PluginError where `place` gives something else.
        """
        self.problem = problem
        self.parse(problem)
        ink = problem.primitive
        assert isinstance(ink, Ink)
        self.step = self.best_step = 0
        drawing = problem.drawing
        weight = None if problem.weight is None else problem.weight.detach().cpu().double().numpy()
        amounts = separate(problem.target, ink, drawing.background, weight)
        ink.clear_margin(amounts)
        rng = np.random.default_rng(problem.seed)
        target = problem.target.detach().cpu().double().numpy()
        goals = {k: v.detach().cpu().double().numpy() for k, v in problem.loss.goals.items()}
        count, paper = problem.count or 1, drawing.background
        sheet = Sheet(amounts, drawing.canvas, count, rng, weight, target, goals, paper)
        marks = ink.placed(sheet)
        self.tensors = ink.pack(ink.repeated(marks, drawing.canvas))
        none = "there are no marks: the picture is as its paper is, or --count is too small"
        plain, ground = _plain(target), np.array(drawing.background)
        notice = plain or marks.notice or ("" if len(marks) else none)
        unseen = "" if plain else _unseen(ground, ink)
        night = "" if plain or unseen or not len(marks) else _night(target, ground, ink)
        self.notices = tuple(filter(None, (notice, unseen, night)))

    def advance(self, steps: int) -> None:
        """Draw more marks."""
        self.step += steps

    def report(self) -> Report:
        """Evaluate the marks drawn so far. More marks are always better."""
        problem, tensors = self.problem, self._drawn(self.step)
        drawing = problem.drawing
        others = [pose(problem.primitive, tensors) for pose in problem.loss.poses[1:]]
        seen = [
            paint(problem.primitive, each, drawing.canvas, background=drawing.background)
            for each in (tensors, *others)
        ]
        loss = float(problem.loss(torch.cat(seen), problem.target, problem.weight))
        check_finite({**tensors, "the loss": loss}, self.step)
        improved = self.step >= self.best_step
        self.best_step = max(self.best_step, self.step)
        psnr = picture_psnr(seen[0], problem.target, problem.weight)
        return Report(self.step, loss, psnr, improved)

    def drawing(self, best: bool) -> Drawing:
        """The marks drawn so far."""
        tensors = self._drawn(self.best_step if best else self.step)
        return replace(self.problem.drawing, tensors=tensors)

    def identities(self, best: bool) -> Tensor | None:
        """The places of the marks in the order of drawing."""
        return torch.arange(self._count(self.best_step if best else self.step))

    def state_dict(self) -> State:
        """The steps; `start` places the marks again."""
        return {"step": self.step, "best_step": self.best_step}

    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        self.step, self.best_step = int(state["step"]), int(state["best_step"])

    def _drawn(self, step: int) -> dict[str, Tensor]:
        count = self._count(step)
        return {name: tensor[..., :count].clone() for name, tensor in self.tensors.items()}

    def _count(self, step: int) -> int:
        """The number of marks after this many steps."""
        return round(self.tensors["ink"].shape[-1] * self.problem.progress(step))


def _plain(target: Floats) -> str:
    """A note where a picture [3, height, width] has no tones that marks could show."""
    if np.ptp(target, (1, 2)).max() > PLAIN:
        return ""
    return (
        "the picture is of nearly one colour, so there are no tones to draw;"
        " raise its contrast before, or take another"
    )


def _night(target: Any, paper: Any, ink: Ink) -> str:
    """A note where a picture [3, height, width] is dark, and ink on light paper too."""
    dark = float(np.median(np.tensordot(LUMA, target, 1)))
    if ink.separation != "mixed" or dark > NIGHT or LUMA @ paper < 0.5:
        return ""
    return (
        "most of the picture is dark, and of ink on light paper an even field;"
        " a light ink with overprint=false on a dark --background suits it better"
    )


def _unseen(paper: Floats, ink: Ink) -> str:
    """A note where no ink is seen on its paper, such as a black one on night blue."""
    away = np.abs(LUMA @ (paper - ink.inks).T)
    multiplied = np.abs(LUMA @ (paper - paper * ink.inks).T)
    overprint = ink.options.overprint
    if (multiplied if overprint else away).max() >= SEEN:
        return ""
    lighter = "" if away.max() >= SEEN else "--set inks=#f0e8d0 "
    if LUMA @ paper < 0.5:
        return f"on paper this dark no ink is seen; add {lighter}--set overprint=false"
    return "no ink is seen on its paper; choose darker inks, or another --background"


def separate(
    target: Tensor, primitive: Ink, paper: Sequence[float], weight: Floats | None = None
) -> Floats:
    """Return the amounts of inks, float64 [inks, height, width] in 0 to 1, nearest to a target.

    `target` is [3, height, width]. The colour is linear in each amount alone, so coordinate descent
    on the squared error is exact in every coordinate. With the separation `nearest` the ink that
    looks most alike has amount 1, all others 0. With `tone` the luma alone counts. Optical ones mix
    as light does; of one ink the luminance counts. The option `contrast` equalises histograms of
    tiles of the target before (CLAHE; Zuiderveld 1994), and makes faces, which have the most
    `weight`, as light as skin in a good light; `brilliant` makes all lighter and more vivid.
    """
    goal, ground = target.detach().cpu().double().numpy(), np.array(paper, np.float64)
    if primitive.options.contrast:
        from skimage.exposure import equalize_adapthist

        equal = np.moveaxis(equalize_adapthist(np.moveaxis(goal.clip(0, 1), 0, 2)), 2, 0)
        goal = goal + primitive.options.contrast * (equal - goal)
    if primitive.options.brilliant:
        goal = brightened(goal.clip(0, 1), primitive.options.brilliant)
    if primitive.options.contrast and weight is not None:
        goal = lit(goal, weight)
    amounts: Floats = np.zeros((len(primitive.inks), *goal.shape[1:]))
    if primitive.separation == "tone":
        luma = np.tensordot(LUMA, goal.clip(0, 1), 1)
        for k, ink in enumerate(primitive.inks):
            amounts[k] = luma if LUMA @ ink > LUMA @ ground else 1 - luma
        return amounts
    if primitive.separation == "nearest":
        from scipy.spatial import KDTree

        nearest = KDTree(lab_of(primitive.inks.T)).query(lab_of(goal))[1]
        np.put_along_axis(amounts, nearest[None], 1.0, axis=0)
        return amounts
    inks, overprint, counted = primitive.inks, primitive.options.overprint, np.ones((3, 1, 1))
    if primitive.options.optical:
        goal, inks, ground = (
            srgb_to_linear(each).astype(np.float64) for each in (goal.clip(0, 1), inks, ground)
        )
        # One ink shows how light the picture is, and several its colours, as differently as light
        # is encoded: in the dark the eye sees smaller differences.
        counted = np.reshape(LUMA, (3, 1, 1)) if len(inks) == 1 else 1 / (goal + DIM)
    counted = np.broadcast_to(counted, goal.shape)

    def descend(rows: slice) -> None:
        # Few rows at a time stay in the cache of a processor.
        found, wanted, counts = amounts[:, rows], goal[:, rows], counted[:, rows]
        for _ in range(ROUNDS if len(found) > 1 else 1):
            for k in range(len(found)):
                found[k] = 0
                without = mix(found, inks, ground, overprint)
                found[k] = 1
                change = mix(found, inks, ground, overprint) - without
                scale = np.maximum((counts * change * change).sum(0), 1e-12)
                fit = (counts * (wanted - without) * change).sum(0) / scale
                found[k] = fit.clip(0, 1)

    share(descend, [slice(k, k + ROWS) for k in range(0, goal.shape[1], ROWS)])
    return amounts


def lit(picture: Floats, weight: Floats) -> Floats:
    """Return a picture [3, height, width] in 0 to 1 with the middle tones of all faces alike.

    Dark in the shade a face would be all ink, and pale in a flash all paper, without eyes and
    mouth. It is where `weight`, [height, width], is nearly the most.
    """
    from scipy.ndimage import label

    found, face = picture.clip(0, 1), closest(weight, FACE)
    if face is None:
        return found
    luma, pieces = np.tensordot(LUMA, found, 1), label(face > 0)[0]
    gain = np.ones(luma.shape)
    for k in np.unique(pieces[face > INNER]):
        light = np.median(luma[(pieces == k) & (face > INNER)]).clip(0.05, 0.95)
        # Of the odds of light, and less of what is darker: eyes, and the ground behind a head.
        more = np.clip(SKIN / (1 - SKIN) * (1 - light) / light, *GAINS)
        gain += np.where(pieces == k, face * (more - 1) * (luma / light).clip(0, 1), 0)
    return np.asarray(found * gain / (1 + (gain - 1) * found))


def brightened(picture: Floats, share: float) -> Floats:
    """Return a picture [3, height, width] in 0 to 1 with tones up to paper, and more chroma.

    The median goes towards a middle tone, but that of a night stays dark.
    """
    luma = np.tensordot(LUMA, picture, 1)
    low, median, high = np.percentile(luma, [1, 50, 98])
    top = min(1.0, 0.4 + 0.8 * high)
    tone = (luma - low) * (top - 0.5 * low) / max(high - low, 0.2) + 0.5 * low
    middle = np.interp(median, [low, high], [0.5 * low, top]) if high > low else median
    lift = np.log(MEDIAN) / np.log(np.clip(middle, 0.05, 0.95))
    tone = tone.clip(0, 1) ** np.clip(lift, np.interp(middle, [0.15, 0.3], [1.0, 0.65]), 1.0)
    tone = luma + share * (tone - luma)
    chroma = (picture - luma) * (1 + CHROMA * share) * (tone / luma.clip(0.05)).clip(1, 2)
    return np.asarray((tone + chroma).clip(0, 1))
