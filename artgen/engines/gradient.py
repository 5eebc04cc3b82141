"""Gradient descent: Adam on the raw parameters of splats, fields, shapes and codecs.

Splats are painted whole at every step, and grow in number on the way (see `growth`); fields see a
random batch of pixels, or all of them. Shapes are drawn as they are exported, keep their order and
stay valid. Codecs learn from batches of pictures (see `lessons`).
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.engines.base import Engine, Problem, Report, State
from artgen.engines.growth import Growth, can_grow, contributions, new_parts
from artgen.engines.judging import check_finite, picture_psnr
from artgen.engines.lessons import Augmentation, Lessons
from artgen.engines.optimizer import Moments, Optimizer
from artgen.engines.schedule import rate_factor
from artgen.engines.scratch import check_betas
from artgen.errors import UsageError
from artgen.options import option, parse_options
from artgen.primitives import Codec, Context, Field, Params, Primitive, Shape, Splat
from artgen.raster import (
    FIELD_PIECE,
    Memory,
    evaluate,
    keep_valid,
    memory_errors,
    paint,
    pass_through,
    reconstruct,
    share_torch,
)

__all__ = ["GradientEngine"]

POLISH_STEPS = 300
"""After so many steps shapes that another engine found hardly gain more."""
LESSON_REPORTS = 15
FEWEST_STEPS, FOLLOWING_SHARE, FOLLOWING_RATE = 10, 0.1, 0.15
"""Of a frame that follows another one: its steps, and the factor on all rates."""


class GradientEngine(Engine):
    """Adam or AdamW with a rate per parameter, warm-up and a schedule."""

    families = ("splat", "field", "shape", "codec")
    arithmetics = ("fp32", "bf16")
    palettes = True

    @dataclass(frozen=True)
    class Options:
        """Options of `gradient`."""

        optimizer: Literal["adam", "adamw", "adamw-centred", "adamw-uncorrected"] = option(
            "adam", "which optimizer"
        )
        rate: float = option(1.0, "factor on all learning rates", low=0)
        schedule: Literal["cosine", "constant", "exponential", "one-cycle"] = option(
            "cosine", "how rates change"
        )
        decay: float = option(
            0.9999, "factor on the rates per step (schedule=exponential)", low=0, high=1
        )
        warmup: int = option(20, "steps over which rates rise from zero", low=0)
        final: float = option(
            0.02, "rates at the end, as a share (schedule=cosine, one-cycle)", low=0, high=1
        )
        beta1: float = option(0.9, "decay of the mean of the gradient", low=0, high=0.99999)
        beta2: float = option(0.99, "decay of its square", low=0, high=0.999999)
        epsilon: float = option(1e-15, "Adam's epsilon", low=0)
        weight_decay: float = option(0.0, "decoupled, but L2 for adam", low=0)
        batch: int = option(
            0, "pixels or samples per step for fields, pictures for codecs; 0 takes all", low=0
        )
        jitter: float = option(
            0.0, "the share of a batch that lies between the pixels", low=0, high=1
        )
        start: float = option(0.1, "the share of its parts a splat starts with", low=1e-4, high=1)
        add: float = option(0.4, "the share by which they grow in a round", low=0.01, high=10)
        move: float = option(0.05, "the share of them moved in a round", low=0, high=0.5)
        every: float = option(0.05, "the share of the steps between rounds", low=0.001, high=1)
        until: float = option(0.5, "the share of the steps after which no more are", low=0, high=1)
        soften: float = option(
            0.15, "the share of the steps in which `over` learns its order", low=0, high=1
        )
        coarse: float = option(
            0.0,
            "the share of the steps on smaller pictures: a quarter, then half the size",
            low=0,
            high=1,
        )
        alpha: Literal["auto", "keep", "learn"] = option(
            "auto", "the opacity of shapes; auto learns it unless all are opaque"
        )
        settle: float = option(
            0.0, "stop growing below this gain, in dB for twice the parts", low=0
        )
        augment: float = option(
            0.0, "the share of a codec's training pictures that are moved", low=0, high=1
        )
        turn: float = option(15.0, "the most they are turned, in degrees", low=0, high=180)
        shift: float = option(0.1, "the most they are shifted, as a share of a side", low=0, high=1)
        zoom: float = option(0.1, "the most they grow or shrink, as a share", low=0, high=0.9)
        shear: float = option(10.0, "the most they are sheared along x, in degrees", low=0, high=80)

    @classmethod
    def automatic(cls, primitive: Primitive) -> dict[str, Any]:
        """Begin with few parts and go on adding while they gain enough."""
        if not can_grow(primitive):
            return {}
        return {"start": 1 / 32, "add": 0.35, "until": 0.6, "settle": 1.0}

    @classmethod
    def first_count(cls, primitive: Primitive, options: Mapping[str, Any], count: int) -> int:
        """The share `start`, where parts can be added."""
        start = parse_options(cls.Options, options, owner="engine gradient").start
        return max(1, round(start * count)) if can_grow(primitive) else count

    @classmethod
    def default_steps(
        cls, primitive: Primitive, options: Mapping[str, Any], count: int | None
    ) -> int | None:
        """Few for shapes, which another engine has found."""
        return POLISH_STEPS if isinstance(primitive, Shape) else None

    @classmethod
    def follow(
        cls, options: Mapping[str, Any], steps: int, count: int | None
    ) -> dict[str, Any] | None:
        """A few steps at small rates: parts are where they were, all of them, and only move."""
        return {
            "steps": max(FEWEST_STEPS, round(FOLLOWING_SHARE * steps)),
            "rate": FOLLOWING_RATE * options.get("rate", 1.0),
            "schedule": "constant",
            "warmup": 0,
            "move": 0.0,
            "soften": 0.0,
            "coarse": 0.0,
            "settle": 0.0,
        }

    def start(self, problem: Problem) -> None:
        """Move everything to the device and make raw parameters of the drawing."""
        self.problem = problem
        self.options: GradientEngine.Options = self.parse(problem)
        check_betas(self.options.optimizer, (self.options.beta1, self.options.beta2))
        # Shapes are drawn on the CPU.
        shapes = isinstance(problem.primitive, Shape)
        self.device = torch.device("cpu" if shapes else problem.device)
        self.samples = problem.target[0].numel()
        # As many samples as there are, each once, are better than as many with replacement; a
        # picture's pixels are drawn at random all the same, as `jitter` moves them.
        enough = problem.positions is not None and self.options.batch >= self.samples
        self.sampled = (
            isinstance(problem.primitive, Field) and self.options.batch > 0 and not enough
        )
        if self.sampled and not problem.loss.per_pixel:
            raise UsageError(
                f"loss {problem.loss.text!r} needs whole pictures, not batches of pixels",
                hint="add --set engine.batch=0",
            )
        self.target = problem.target.to(self.device)
        self.weight = None if problem.weight is None else problem.weight.to(self.device)
        self.positions = None if problem.positions is None else problem.positions.to(self.device)
        self.canvas = problem.drawing.canvas
        self.views = {1: _View(self.canvas, self.target, self.weight)}
        self.lessons = self._lessons() if isinstance(problem.primitive, Codec) else None
        if self.lessons is not None:
            # Thousands of test pictures take longer to judge than a step takes.
            self.reports = LESSON_REPORTS
        if self.options.coarse and (self.positions is not None or self.lessons is not None):
            raise UsageError(
                "engine gradient option coarse is for pictures", hint="leave engine.coarse at 0"
            )
        self.memory = Memory()
        self.step = 0
        self.factor = 1.0
        self.learned, self.learned_steps = torch.zeros((), dtype=torch.float64), 0
        self.generator = torch.Generator(self.device).manual_seed(problem.seed)

        self.params = problem.primitive.parameters()
        self.maps = {name: param.map for name, param in self.params.items()}
        self._plan_growth()
        self.kept = _kept_of_shapes(problem, self.options.alpha) if shapes else frozenset()
        tensors = dict(problem.drawing.tensors)
        if problem.palette is not None:
            nearest = torch.cdist(tensors["colour"].t(), problem.palette).argmin(1)
            tensors["colour"] = problem.palette[nearest].t()
        self._adopt(self._raw(tensors, self.first))
        # Of every part that there ever is, in the order in which they come.
        self.numbers = self.best_numbers = torch.arange(self.count)
        self.made = self.count
        self.best_loss = math.inf
        self.best = self._copy()
        # Only steps are taken in another arithmetic, figures and drawings are not.
        self.stepping = copy.copy(problem.primitive)
        if isinstance(self.stepping, Field):
            self.stepping.arithmetic = problem.arithmetic
        if self.sampled:
            x, y = self.canvas.pixel_centres()
            self.columns = torch.from_numpy(x).to(self.device)
            self.rows = torch.from_numpy(y).to(self.device)
            self.flat_target = self.target.flatten(1).t().contiguous()

    def advance(self, steps: int) -> None:
        """Take so many optimizer steps; only rounds of growth read back from the device."""
        with _memory_errors():
            for _ in range(steps):
                self._grow()
                for raw in self.raw.values():
                    raw.grad = None
                if self.lessons is not None:
                    self._learn_from_pictures(self.lessons)
                elif self.sampled:
                    self._learn_from_batch()
                else:
                    self._picture_loss(self._mapped()).backward()  # type: ignore[no-untyped-call]
                self._take_step()
                self.step += 1

    @torch.no_grad()
    def _take_step(self) -> None:
        """One step of the optimizer: values stay within their bounds and shapes stay valid."""
        primitive = self.problem.primitive
        before = self._copy() if isinstance(primitive, Shape) else {}
        factor = self._rate_factor()
        for name, raw in self.raw.items():
            self.optimizer.step(name, raw, self.rates[name] * factor)
            low, high = self.bounds[name]
            if math.isfinite(low) or math.isfinite(high):
                raw.clamp_(low, high)
        if isinstance(primitive, Shape):
            self.raw["genes"].copy_(keep_valid(primitive, before, self.raw["genes"]))

    @torch.no_grad()
    def report(self) -> Report:
        """Loss and PSNR of the full target; raises Diverged where something is not finite."""
        tensors = self._mapped()
        with _memory_errors():
            image = self._paint(tensors)
            loss = float(self.problem.loss(image, self.target, self.weight))
            picture = self.positions is None
            psnr = picture_psnr(image, self.target, self.weight) if picture else None
        check_finite(tensors, loss, self.step)
        improved = loss < self.best_loss
        if improved:
            self.best_loss = loss
            self.best, self.best_numbers = self._copy(), self.numbers
        return Report(self.step, loss, psnr, improved, self._training_loss())

    @torch.no_grad()
    def drawing(self, best: bool) -> Drawing:
        """Mapped copies of the current or the best parameters."""
        raw = self.best if best else self.raw
        tensors = {name: self.maps[name](tensor).detach() for name, tensor in raw.items()}
        return replace(self.problem.drawing, tensors=tensors).detach()

    @torch.no_grad()
    def recover(self, rate: float) -> None:
        """Back to the best parameters with fresh moments and smaller rates."""
        self._adopt(self.best)
        self.numbers = self.best_numbers
        self.factor *= rate

    def identities(self, best: bool) -> Tensor | None:
        """Parts keep their numbers while others are added; what is moved is a new part."""
        return self.best_numbers if best else self.numbers

    def hand_over(self) -> State:
        """Adam's moments."""
        return {
            f"{key}.{name}": value.detach().to("cpu", copy=True)
            for name, moments in self.optimizer.moments.items()
            for key, value in moments.items()
        }

    @torch.no_grad()
    def take_over(self, state: State, fresh: Tensor) -> None:
        """Go on with these moments; those of fresh parts are zero, as in `_replace`."""
        for name in self.raw:
            if f"exp_avg.{name}" not in state:
                continue
            moments = {
                key: state[f"{key}.{name}"].to(self.device, copy=True)
                for key in ("step", "exp_avg", "exp_avg_sq")
            }
            if len(fresh):
                for key in ("exp_avg", "exp_avg_sq"):
                    moments[key][..., fresh.to(self.device)] = 0
            self.optimizer.moments[name] = moments

    def limit_memory(self, share: float) -> None:
        """Evaluate smaller pieces at a time."""
        self.memory = self.memory.shrunk(share)

    def state_dict(self) -> State:
        """Raw and best parameters, Adam's moments, the generator, the step."""
        state: State = {"step": self.step, "factor": self.factor, "best_loss": self.best_loss}
        state["memory"] = self.memory.evaluations
        state["limit"], state["round_psnr"] = self.limit, self.round_psnr
        state["generator"] = self.generator.get_state()
        state["learned"], state["learned_steps"] = self.learned.clone(), self.learned_steps
        state["made"] = self.made
        state["numbers"], state["best_numbers"] = self.numbers, self.best_numbers
        for name, raw in self.raw.items():
            state[f"raw.{name}"] = raw.detach().clone()
            state[f"best.{name}"] = self.best[name].clone()
            for key, value in self.optimizer.moments.get(name, {}).items():
                state[f"{key}.{name}"] = value.detach().clone()
        return state

    @torch.no_grad()
    def load_state_dict(self, state: State) -> None:
        """The opposite of `state_dict`."""
        self.step, self.factor = int(state["step"]), float(state["factor"])
        self.best_loss = float(state["best_loss"])
        self.memory = Memory(int(state["memory"]))
        self.limit, self.round_psnr = int(state["limit"]), float(state["round_psnr"])
        self.generator.set_state(state["generator"].cpu())
        self.learned, self.learned_steps = state["learned"].clone(), int(state["learned_steps"])
        self.best = {name: state[f"best.{name}"].to(self.device) for name in self.params}
        moments = {
            name: {
                key: state[f"{key}.{name}"].to(self.device, copy=True)
                for key in ("step", "exp_avg", "exp_avg_sq")
            }
            for name in self.params
            if f"exp_avg.{name}" in state
        }
        self._adopt({name: state[f"raw.{name}"].to(self.device) for name in self.params}, moments)
        # Checkpoints of earlier versions have none of these.
        self.made = int(state.get("made", self.count))
        self.numbers = state.get("numbers", torch.arange(self.count))
        self.best_numbers = state.get("best_numbers", self.numbers)

    def settled(self) -> dict[str, Any]:
        """The count that growth ended with, where it was to find one."""
        if not self.options.settle:
            return {}
        taken = [count for step, count in self.rounds.items() if step < self.step]
        count = min(self.limit, max(taken, default=self.first))
        return {"count": count, "start": self.first / count, "settle": 0.0}

    def _raw(self, mapped: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
        """Raw values on the device, inside the bounds for `count` parts."""
        context = Context(torch.Generator(), self.canvas, count)
        return {
            name: param.map.inverse(mapped[name].to(self.device)).clamp(*param.raw_bounds(context))
            for name, param in self.params.items()
        }

    def _adopt(
        self, raw: Mapping[str, Tensor], moments: Mapping[str, Moments] | None = None
    ) -> None:
        """Go on with copies of these raw values, however many parts they are, and these moments."""
        field = isinstance(self.problem.primitive, Field)
        self.count = 1 if field else next(iter(raw.values())).shape[-1]
        context = Context(torch.Generator(), self.canvas, self.count)
        self.bounds = {name: param.raw_bounds(context) for name, param in self.params.items()}
        self.rates = {
            name: 0.0 if name in self.kept else param.rate(context)
            for name, param in self.params.items()
        }
        self.raw = {
            name: raw[name].detach().clone(memory_format=torch.contiguous_format)
            for name in self.params
        }
        for name, tensor in self.raw.items():
            tensor.requires_grad_(self.rates[name] > 0)
        options = self.options
        betas = (options.beta1, options.beta2)
        self.optimizer = Optimizer(
            options.optimizer, betas, options.epsilon, options.weight_decay, dict(moments or {})
        )

    def _plan_growth(self) -> None:
        """The rounds of this fit: the counts they end with, by step."""
        problem, options = self.problem, self.options
        self.first = problem.primitive.count_of(problem.drawing)
        self.limit = max(self.first, problem.count or self.first)
        self.round_psnr = 0.0
        self.rounds: dict[int, int] = {}
        if can_grow(problem.primitive) and (options.move or self.first < self.limit):
            self.rounds = Growth(
                self.first,
                self.limit,
                options.add,
                options.every,
                options.until,
                problem.total_steps,
            ).rounds

    @torch.no_grad()
    def _grow(self) -> None:
        """Add the parts that are due, and in a round move those that contribute least.

        Parts may also be missing after a recovery, as the best can be from before a round.
        """
        due = max((n for step, n in self.rounds.items() if step <= self.step), default=self.first)
        if self.step not in self.rounds and self.count >= min(due, self.limit):
            return
        primitive = self.problem.primitive
        assert isinstance(primitive, Splat)
        tensors = self._mapped()
        image = self._paint(tensors)
        check_finite(tensors, float(image.sum()), self.step)
        if self.step in self.rounds and self.options.settle:
            self._settle(image)
        count = min(due, self.limit)
        worth = contributions(self._paint, tensors, self.weight)
        kept = worth.argsort(stable=True)[int(self.options.move * self.count) :].sort().values
        if len(kept) >= count:
            return
        fresh = new_parts(
            primitive,
            count - len(kept),
            seed=self.problem.seed + self.step,
            image=image,
            target=self.target,
            weight=self.weight,
            others=tensors["xy"][:, kept],
            start=self.problem.drawing,
        )
        self._replace(kept, self._raw(fresh, count))
        added = torch.arange(self.made, self.made + count - len(kept))
        self.numbers = torch.cat([self.numbers[kept.cpu()], added])
        self.made += len(added)

    def _replace(self, kept: Tensor, fresh: dict[str, Tensor]) -> None:
        """Go on with the parts `kept`, moments included, and `fresh` ones after them.

        New moments are zero. Adam counts steps per tensor, so it does not correct their bias: for
        some tens of steps new parts are faster than others, about twice with `beta2` = 0.99, which
        fits better than correcting it.
        """
        moments = {}
        for name, state in self.optimizer.moments.items():
            zeros = torch.zeros_like(fresh[name])
            moments[name] = {
                "step": state["step"],
                **{
                    key: torch.cat([state[key][..., kept], zeros], dim=-1)
                    for key in ("exp_avg", "exp_avg_sq")
                },
            }
        self._adopt(
            {
                name: torch.cat([raw.detach()[..., kept], fresh[name]], dim=-1)
                for name, raw in self.raw.items()
            },
            moments,
        )

    def _settle(self, image: Tensor) -> None:
        """End growth where the last round's parts gained too little."""
        before = [count for step, count in self.rounds.items() if step < self.step]
        psnr = picture_psnr(image, self.target, self.weight)
        # Parts were added in the last round, and they had a round's time to find their places.
        growth = math.log2(self.count / [self.first, *before][-2]) if before else 0.0
        if growth > 0 and psnr - self.round_psnr < self.options.settle * growth:
            self.limit = min(self.limit, self.count)
        self.round_psnr = psnr

    def _copy(self) -> dict[str, Tensor]:
        return {name: raw.detach().clone() for name, raw in self.raw.items()}

    def _mapped(self) -> dict[str, Tensor]:
        return {name: self.maps[name](raw) for name, raw in self.raw.items()}

    def _rate_factor(self) -> float:
        """Warm-up and schedule: what all rates are multiplied by."""
        options = self.options
        factor = self.factor * options.rate
        return factor * rate_factor(options, self.step, self.problem.total_steps)

    def _paint(
        self,
        tensors: Mapping[str, Tensor],
        softness: float = 0.0,
        canvas: Canvas | None = None,
    ) -> Tensor:
        start, primitive = self.problem.drawing, self.problem.primitive
        if isinstance(primitive, Codec):
            assert self.problem.test is not None
            return reconstruct(primitive, tensors, self.problem.test).to(self.device)
        if self.positions is not None:
            assert isinstance(primitive, Field)
            return evaluate(primitive, tensors, self.positions, self.memory)
        return paint(
            primitive,
            tensors,
            canvas or self.canvas,
            background=start.background,
            background_weight=start.background_weight,
            memory=self.memory,
            backend=self.problem.backend,
            softness=softness,
        )

    def _picture_loss(self, tensors: dict[str, Tensor]) -> Tensor:
        """The loss of a step; the order of parts is soft at first and hardens."""
        learning = self.options.soften * self.problem.total_steps
        softness = max(0.0, 1 - self.step / learning) if learning else 0.0
        view = self._view()
        image = self._paint(tensors, softness, view.canvas)
        return self.problem.loss(image, view.target, view.weight)

    def _view(self) -> _View:
        """What this step looks at: the whole target, or a smaller one at first."""
        coarse = self.options.coarse * self.problem.total_steps
        divisor = 1 if self.step >= coarse else 2 if self.step >= coarse / 2 else 4
        if divisor not in self.views:
            self.views[divisor] = _shrunk(self.views[1], divisor)
        return self.views[divisor]

    def _learn_from_batch(self) -> None:
        """Leave in every raw parameter the gradient of the loss of a batch.

        On a CPU threads take pieces of the batch in turn: splitting every operation does not pay.
        Gradients are added in the order of the pieces.
        """
        field = self.stepping
        assert isinstance(field, Field)
        xy, target, weight = self._batch()
        params = Params(self._mapped())
        learned = [raw for raw in self.raw.values() if raw.requires_grad]
        pieces = torch.split(xy, FIELD_PIECE if self.device.type == "cpu" else len(xy))
        values: list[Tensor] = [xy] * len(pieces)
        gradients: list[tuple[Tensor | None, ...]] = [()] * len(pieces)

        def forward(piece: int) -> None:
            values[piece] = field.forward(pieces[piece], params).float()

        def backward(piece: int) -> None:
            gradients[piece] = torch.autograd.grad(
                values[piece], learned, incoming[piece], allow_unused=True
            )

        run = share_torch if self.device.type == "cpu" else _one_by_one
        run(forward, range(len(pieces)))
        joined = torch.cat(values).detach().requires_grad_()
        loss = self.problem.loss(joined.t()[:, None], target.t()[:, None], weight)
        (gradient,) = torch.autograd.grad(loss, joined)
        incoming = torch.split(gradient, len(pieces[0]))
        run(backward, range(len(pieces)))
        for raw, parts in zip(learned, zip(*gradients, strict=True), strict=True):
            raw.grad = functools.reduce(_add, parts)

    def _lessons(self) -> Lessons:
        """Batches of the pictures that a codec learns from."""
        problem, options = self.problem, self.options
        assert problem.training is not None
        how = Augmentation(
            options.augment, options.turn, options.shift, options.zoom, options.shear
        )
        return Lessons(problem.training, options.batch, how, problem.seed, self.device)

    def _learn_from_pictures(self, lessons: Lessons) -> None:
        """Leave in every raw parameter the gradient of the loss of a batch of pictures."""
        codec = self.problem.primitive
        assert isinstance(codec, Codec)
        images, labels = lessons.batch(self.step, self.generator)
        outputs = pass_through(codec, self._mapped(), images, labels, self.problem.arithmetic)
        loss = self.problem.loss(outputs, images, None)
        loss.backward()  # type: ignore[no-untyped-call]
        self.learned += loss.detach().cpu()
        self.learned_steps += 1

    def _training_loss(self) -> float | None:
        """The mean loss of the steps since it was last asked for."""
        if not self.learned_steps:
            return None
        mean = float(self.learned) / self.learned_steps
        self.learned, self.learned_steps = torch.zeros_like(self.learned), 0
        return mean

    def _batch(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """Places [M, inputs], values [M, outputs], weights [1, M] of random pixels or samples.

        They are drawn with replacement. The first pixels of a batch are moved anywhere inside
        themselves, where the target is what cubic interpolation makes of the pixels: a field that
        is never asked what is between them may answer anything there.
        """
        chosen = torch.randint(
            self.samples, (self.options.batch,), generator=self.generator, device=self.device
        )
        xy, target = self._places(chosen), self.flat_target[chosen]
        weight = None if self.weight is None else self.weight.flatten()[chosen][None]
        moved = 0 if self.positions is not None else round(self.options.jitter * len(chosen))
        if moved:
            inside = torch.rand(moved, 2, generator=self.generator, device=self.device) - 0.5
            xy[:moved] += self.canvas.pixel * inside
            target[:moved] = _between(self.target, xy[:moved] / xy.new_tensor(self.canvas.reach))
        return xy, target, weight

    def _places(self, chosen: Tensor) -> Tensor:
        """Where the pixels or samples of these numbers are, [batch, inputs]."""
        if self.positions is not None:
            return self.positions[chosen]
        row = torch.div(chosen, self.canvas.width, rounding_mode="floor")
        return torch.stack([self.columns[chosen % self.canvas.width], self.rows[row]], dim=1)


def _one_by_one(work: Callable[[int], None], pieces: Iterable[int]) -> None:
    for piece in pieces:
        work(piece)


def _add(total: Tensor | None, more: Tensor | None) -> Tensor | None:
    """The sum of gradients, in place; a parameter that was not used has none."""
    if total is None or more is None:
        return more if total is None else total
    # Of a constant slope autograd gives a tensor whose elements share their memory.
    return total.contiguous().add_(more)


def _between(target: Tensor, places: Tensor) -> Tensor:
    """Colours [M, 3] of a picture [3, h, w] by cubic interpolation; `places` [M, 2] in -1 to 1."""
    colours = torch.nn.functional.grid_sample(
        target[None],
        places[None, None],
        mode="bicubic",
        padding_mode="border",
        align_corners=False,
    )
    return colours[0, :, 0].t()


def _kept_of_shapes(problem: Problem, alpha: str) -> frozenset[str]:
    """What is not learned of shapes: the colours of a palette, and opacities unless asked to."""
    opaque = bool((problem.drawing.tensors["alpha"] == 1).all())
    kept = {
        "alpha": alpha == "keep" or (alpha == "auto" and opaque),
        "colour": problem.palette is not None,
    }
    return frozenset(name for name, keep in kept.items() if keep)


class _View(NamedTuple):
    """A picture to compare with: [3, height, width], and its weights."""

    canvas: Canvas
    target: Tensor
    weight: Tensor | None


def _shrunk(view: _View, divisor: int) -> _View:
    """The same picture, `divisor` times smaller, at least a pixel."""
    canvas = Canvas(
        max(1, round(view.canvas.width / divisor)), max(1, round(view.canvas.height / divisor))
    )
    pool, size = torch.nn.functional.adaptive_avg_pool2d, (canvas.height, canvas.width)
    weight = None if view.weight is None else pool(view.weight[None], size)[0]
    return _View(canvas, pool(view.target, size), weight)


def _memory_errors() -> AbstractContextManager[None]:
    return memory_errors(
        "the fit needs more memory than there is", hint="try a smaller --size or --count"
    )
