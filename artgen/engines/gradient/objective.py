"""The objective of the engine `gradient`: what its steps minimise, and what it evaluates.

The default paints the whole picture and compares it with the target, which suits every primitive
that `paint` draws differentiably. A family with a loss of its own registers a subclass, whose
`Options` are the engine's options for that family::

    class StripesObjective(Objective):
        def loss(self, tensors, step):
            return super().loss(tensors, step) + 0.01 * tensors["width"].square().mean()

    @objective_of.register(Stripes)
    def _(primitive):
        return StripesObjective
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from artgen.base.errors import check_memory
from artgen.base.faults import broken
from artgen.base.generic import generic
from artgen.base.options import option
from artgen.base.seeds import derived_seed
from artgen.engines.base import Problem, State
from artgen.engines.evaluation import picture_psnr
from artgen.engines.gradient.densify import Densification
from artgen.engines.gradient.device_steps import Stepper
from artgen.engines.gradient.schedule import AdamOptions
from artgen.primitives import Arithmetic, Primitive
from artgen.raster import paint
from artgen.raster.backend import Memory
from artgen.raster.painting import Ground
from artgen.values.canvas import Canvas

FEW = 16
"""Pictures or positions from which the memory of a step is estimated, and as many again."""


@dataclass(frozen=True)
class PictureOptions(AdamOptions):
    """Options for whole pictures."""

    coarse: float = option(
        0.0,
        "share of the steps on smaller pictures: a quarter, then half the size",
        low=0,
        high=1,
    )


def trial_clock(device: torch.device) -> Callable[[], float]:
    """Return the clock that times a step: that of the processor, which other programs do not slow.

    A device that works on its own has none, so there it is that of the wall.
    """
    return time.process_time if device.type == "cpu" else time.perf_counter


class Trial(Protocol):
    """A step of a fit, to be timed."""

    def seconds(self, arithmetic: Arithmetic) -> float:
        """Take the step and return how long it took."""


class Objective:
    """The loss of the painted picture against the target, for any primitive that `paint` draws.

    `tensors` are always mapped values by the names of the parameters; `raw` are the values that the
    optimizer changes. A subclass may override every public method.
    """

    Options: ClassVar[type[AdamOptions]] = PictureOptions

    reports: ClassVar[int] = 30
    """About how many evaluations a fit makes."""

    densification: Densification | None = None
    """How parts are added and moved during the fit; None: they are not."""

    notices: tuple[str, ...] = ()
    """Messages to the user on how steps are evaluated."""

    pictures: bool = True
    """Whether the target is a picture or pictures, which have a PSNR."""

    @property
    def alone(self) -> bool:
        """Whether torch's own operations in a step are too small to be divided among threads."""
        return False

    def __init__(self, problem: Problem, options: Any) -> None:
        """Move the target to the device. Raises UsageError for options that do not fit together."""
        self.problem, self.options = problem, options
        # What kernels alone draw is fitted on the CPU.
        self.device = torch.device("cpu" if problem.primitive.always_compiled else problem.device)
        self.canvas = problem.drawing.canvas
        self.target = problem.target.to(self.device)
        self.weight = None if problem.weight is None else problem.weight.to(self.device)
        self._grounds: Sequence[Ground] = [problem.drawing.background]
        targets = [self.target]
        if problem.even is not None:
            self.target, ground, plain = (each.to(self.device) for each in problem.even)
            # Steps take turns, so that none learns which pixels are more and which are less.
            targets, self._grounds = [[x, 2 * plain - x] for x in (self.target, ground)]
        self.memory = Memory()
        self.generator = torch.Generator(self.device).manual_seed(problem.seed)
        self._views = {
            (1, turn): _View(self.canvas, target, self.weight)
            for turn, target in enumerate(targets)
        }

    @classmethod
    def automatic(cls, primitive: Primitive) -> dict[str, Any]:
        """Options under which the fit finds the count itself; empty where it cannot."""
        return {}

    @classmethod
    def first_count(cls, primitive: Primitive, options: Any, count: int) -> int:
        """The number of parts to start with for `count` parts in the end."""
        return count

    @classmethod
    def default_steps(cls) -> int | None:
        """The number of steps where none is asked for; None: the runner's default."""
        return None

    @classmethod
    def trial(cls, primitive: Any, device: torch.device, batch: int) -> Trial | None:
        """A step on `batch` positions or pictures (0: many), to be timed in each arithmetic.

        None where float32 is the better choice without a trial.
        """
        return None

    def initial(self) -> dict[str, Tensor]:
        """Mapped tensors to start from."""
        return dict(self.problem.drawing.tensors)

    @property
    def frozen(self) -> frozenset[str]:
        """Names of parameters that are not learned."""
        return frozenset()

    def loss(self, tensors: Mapping[str, Tensor], step: int) -> Tensor:
        """The loss of a step, a scalar with gradients."""
        view = self._view(step)
        image = self._in_poses(tensors, lambda posed: self.paint(posed, view.canvas, step))
        loss = self.problem.loss.at(derived_seed(self.problem.seed, "step", step))
        return loss(image, view.target, view.weight)

    def backward(self, raw: Mapping[str, Tensor], tensors: Mapping[str, Tensor], step: int) -> None:
        """Set the gradient of the loss in every raw parameter that is learned."""
        loss = self.loss(tensors, step)
        check_differentiable(self.problem.primitive, loss)
        torch.autograd.backward(loss)

    def check_step(
        self, number: int, sample: Callable[[Mapping[str, Tensor], int], object]
    ) -> None:
        """Raise UsageError where a step on `number` pictures or positions takes too much memory.

        `sample` computes so many from tensors: what autograd keeps grows with their number. Devices
        have less memory than the options allow, and say so.
        """
        if self.device.type != "cpu":
            return
        tensors = {k: v.detach().requires_grad_() for k, v in self.initial().items()}
        few, twice = (_kept_bytes(partial(sample, tensors, n)) for n in (FEW, 2 * FEW))
        check_memory(
            number * (twice - few) / FEW,
            f"a step on {number:,} samples",
            "use a smaller batch: --set engine.batch=1000",
        )

    def after_step(self, raw: dict[str, Tensor]) -> None:
        """Correct raw values in place after the optimizer changed them."""

    def paint(self, tensors: Mapping[str, Tensor], canvas: Canvas, step: int) -> Tensor:
        """The picture of a step, [3, height, width]."""
        return self._paint(tensors, canvas, self.softness(step), self._turn(step))

    def softness(self, step: int) -> float:
        """The softness of the blend over at a step, see `artgen.raster.paint`."""
        return 0.0

    def _turn(self, step: int) -> int:
        """The number of the ground of a step."""
        return step % len(self._grounds)

    def picture(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """The picture that an evaluation compares with the target; of the target's shape."""
        return self._paint(tensors, self.canvas)

    def evaluate(self, tensors: Mapping[str, Tensor]) -> tuple[float, float | None]:
        """The loss of the whole target, and the PSNR in dB where it is a picture."""
        seen = self._in_poses(tensors, self.picture)
        image = seen if len(self.problem.loss.poses) == 1 else seen[:3]
        if image.shape != self.target.shape:
            cls = type(self.problem.primitive)
            found, wanted = list(image.shape), list(self.target.shape)
            raise broken(
                cls.__name__,
                cls,
                f"draws a tensor of shape {found}, not {wanted}",
                hint="return a value for each channel of the target",
            )
        loss = float(self.problem.loss(seen, self.target, self.weight))
        return loss, picture_psnr(image, self.target, self.weight) if self.pictures else None

    def _in_poses(
        self, tensors: Mapping[str, Tensor], draw: Callable[[Mapping[str, Tensor]], Tensor]
    ) -> Tensor:
        """What the loss compares: the picture of the parts, one for each pose that it names."""
        poses = self.problem.loss.poses
        if len(poses) == 1:
            return draw(tensors)
        primitive = self.problem.primitive
        return torch.cat([draw(pose(primitive, tensors)) for pose in poses])

    def training_loss(self) -> float | None:
        """The mean loss of the steps since the last call, where training data are others."""
        return None

    def limit_memory(self, share: float) -> None:
        """Evaluate pieces of `share` of their present size."""
        self.memory = self.memory.shrunk(share)

    def stepper(self, count: int, step: int) -> Stepper | None:
        """The stepper of `count` parts on the device from `step` on, while `shrinking` stays.

        None where the engine takes them.
        """
        return None

    def recordable(self, step: int) -> Hashable | None:
        """What a step that a GPU can record has in common with those that do the same, or None.

        Such a step does not wait for the device, and nothing but the rates differs.
        """
        return None

    def shrinking(self, step: int) -> int:
        """The factor by which the picture of a step is smaller than the target."""
        coarse = self.options.coarse * self.problem.total_steps
        position = self.problem.position(step)
        return 1 if position >= coarse else 2 if position >= coarse / 2 else 4

    def state_dict(self) -> State:
        """The state that changes during the fit, by flat names."""
        state: State = {
            "memory": self.memory.evaluations,
            "generator": self.generator.get_state(),
        }
        if self.densification is not None:
            state |= self.densification.state_dict()
        return state

    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        self.memory = Memory(int(state["memory"]))
        self.generator.set_state(state["generator"].cpu())
        if self.densification is not None:
            self.densification.load_state_dict(state)

    def _paint(
        self, tensors: Mapping[str, Tensor], canvas: Canvas, softness: float = 0.0, turn: int = 0
    ) -> Tensor:
        start, ground = self.problem.drawing, self._grounds[turn]
        if isinstance(ground, Tensor) and canvas != self.canvas:
            size = canvas.height, canvas.width
            ground = torch.nn.functional.interpolate(ground[None], size, mode="area")[0]
        return paint(
            self.problem.primitive,
            tensors,
            canvas,
            background=ground,
            background_weight=start.background_weight,
            memory=self.memory,
            backend=self.problem.backend,
            softness=softness,
        )

    def _view(self, step: int) -> _View:
        """The target of a step: the whole one, or a smaller one at first."""
        divisor, turn = self.shrinking(step), self._turn(step)
        if (divisor, turn) not in self._views:
            self._views[divisor, turn] = _shrunk(self._views[1, turn], divisor)
        return self._views[divisor, turn]


def _kept_bytes(compute: Callable[[], object]) -> int:
    """The bytes that autograd keeps of a computation."""
    storages: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        # What several operations keep is counted once.
        storages[tensor.data_ptr()] = tensor.nbytes
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        _ = compute()
    return sum(storages.values())


def check_differentiable(primitive: Primitive, value: Tensor) -> None:
    """Raise PluginError if `value` has no gradient, so that nothing could be learned."""
    if not value.requires_grad:
        cls = type(primitive)
        raise broken(
            cls.__name__,
            cls,
            "has no gradient: its picture does not depend on the parameters",
            hint="compute it from the parameters by torch, without detach() or numpy",
        )


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


@generic("objective")
def objective_of(primitive: Primitive) -> type[Objective]:
    """The class of the objective that fits `primitive`: a generic function on its family."""
    return Objective
