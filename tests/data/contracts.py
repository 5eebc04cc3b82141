"""Every contract of a plugin, implemented with types; tests/test_types.py checks it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import artgen
from artgen import Param, Params, events, init
from artgen.engines.protocols import Recovers
from artgen_plugins.autograd import Node

Floats = NDArray[np.float64]


class Disc(artgen.Splat):
    """A soft disc."""

    params = {"size": Param(init=init.from_spacing(0.5), min=artgen.pixels(1), lr=0.02, map="exp")}
    presets = {"fine": artgen.Preset(count=900, params={"size": {"lr": 0.01}})}

    @dataclass(frozen=True)
    class Options:
        """The options of `Disc`."""

        power: float = artgen.option(2.0, "steepness", low=1, high=8)

    @property
    def blend(self) -> artgen.primitives.Blend:
        return "over" if self.options.power > 2 else "normalized"

    def footprint(self, dx: Tensor, dy: Tensor, p: Params) -> Tensor:
        return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))

    def radius(self, p: Params) -> Tensor:
        return 2.6 * p.size


class Diamond(artgen.Shape):
    """A diamond."""

    genes, vertices, convex = 3, 4, True

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        genes[0], genes[1], genes[2] = x, y, size * rng.random()

    @staticmethod
    def valid(genes: Floats) -> bool:
        return bool(genes[2] > 0)

    @staticmethod
    def outline(genes: Floats, points: Floats) -> None:
        points[:, 0], points[:, 1] = genes[0] + genes[2], genes[1]


class Cells(artgen.Partition):
    """Cells."""

    genes = 2

    @staticmethod
    def line(genes: Floats, y: float) -> tuple[float, float]:
        return -2 * float(genes[0]), float(genes[0] ** 2 + (y - genes[1]) ** 2)


class Wave(artgen.Field):
    """A wave."""

    targets = ("image", "curve")

    @property
    def params(self) -> Mapping[str, Param]:
        return {"weight": Param(self.outputs, self.inputs, init=init.normal(1.0))}

    def forward(self, xy: Tensor, p: Params) -> Tensor:
        return self.linear(torch.sin(xy), p.weight)

    def graph(self, features: Node, p: Mapping[str, Node]) -> Node:
        return features.times(p["weight"])

    def encode(self, xy: Tensor) -> Tensor:
        return torch.sin(xy)


class Blocks(artgen.Codec):
    """Blocks of pixels."""

    engines = ("solve",)
    latent = (1, 7, 7)
    params = {"mean": Param(1, init=0.0)}

    def encode(self, images: Tensor, p: Params) -> Tensor:
        return torch.nn.functional.avg_pool2d(images, 4)

    def decode(self, latents: Tensor, p: Params, labels: Tensor) -> Tensor:
        return torch.nn.functional.interpolate(latents, (self.height, self.width))

    def solve(self, pieces: Iterable[Tensor]) -> dict[str, Tensor]:
        return {"mean": torch.stack([piece.mean() for piece in pieces]).mean()[None]}

    def truncated(self, tensors: Mapping[str, Tensor], components: int) -> dict[str, Tensor]:
        return dict(tensors)


class Walk(artgen.Engine):
    """A random walk."""

    supports = ("palette",)

    @dataclass(frozen=True)
    class Options:
        """The options of `Walk`."""

        reach: float = artgen.option(1.0, "how far a step goes", low=0)

    @classmethod
    def default_steps(
        cls, primitive: artgen.Primitive, options: Mapping[str, Any], count: int | None
    ) -> int | None:
        return 100

    def start(self, problem: artgen.engines.Problem) -> None:
        self.problem, self.options = problem, self.parse(problem)
        self.rng = torch.Generator().manual_seed(problem.seed)
        self.best, self.best_loss = problem.drawing, float("inf")

    def advance(self, steps: int) -> None:
        for _ in range(steps):
            tensors = {k: v + torch.rand_like(v) for k, v in self.best.tensors.items()}
            self.best = replace(self.best, tensors=tensors)
            self.step += 1

    def report(self) -> artgen.engines.Report:
        problem = self.problem
        image = artgen.draw(self.best, problem.primitive, backend=problem.backend)
        loss = float(problem.loss(image, problem.target, problem.weight))
        return artgen.engines.Report(self.step, loss, None, loss < self.best_loss)

    def drawing(self, best: bool) -> artgen.Drawing:
        return self.best

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, **self.best.tensors}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step = state.pop("step")
        self.best = replace(self.best, tensors=state)

    def recover(self, rate: float) -> None:
        self.best_loss *= rate


recovers: type[Recovers] = Walk


@artgen.losses.per_pixel
@artgen.losses.for_targets("image", "curve")
def huber(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    error = torch.nn.functional.huber_loss(image, target, reduction="none")
    return error.mean() if weight is None else (error * weight).sum() / weight.sum()


def grey(rest: str, request: artgen.targets.TargetRequest) -> artgen.targets.ImageTarget:
    if len(rest) > 9:
        raise artgen.errors.InputError(f"grey:{rest} is too long", hint="write a number")
    picture = np.full((9, 9), int(rest or "128"), np.uint8)
    return artgen.targets.image_from_array(picture, request, source=f"grey:{rest}")


def line(rest: str, request: artgen.targets.TargetRequest) -> artgen.targets.SampleTarget:
    x = np.linspace(0, 1, 9)
    return artgen.targets.curve_from_samples(x, 2 * x, request)


def noise(rest: str, request: artgen.targets.TargetRequest) -> artgen.targets.SetTarget:
    pictures = np.zeros((20, 8, 8), np.uint8)
    return artgen.targets.set_from_arrays(pictures, pictures[:5])


def export_raw(art: artgen.Art, request: artgen.art.ExportRequest) -> bytes:
    if request.transparent:
        raise artgen.errors.UsageError("raw pixels have no background", hint="use -o FILE.png")
    return art.render(request.size, supersample=request.supersample).tobytes()


@artgen.hookimpl
def artgen_primitives() -> list[artgen.Spec]:
    return [artgen.Spec("disc", "A soft disc.", Disc)]


@artgen.hookimpl
def artgen_observe(event: artgen.events.Event) -> None:
    if isinstance(event, events.Evaluated) and event.psnr is not None:
        print(event.step / event.total_steps, event.loss)


@artgen.hookimpl
def artgen_losses() -> Iterable[artgen.Spec]:
    yield artgen.Spec("huber", "The Huber loss.", huber)


art = artgen.fit(np.zeros((8, 8)), Disc, loss="l1", observe=lambda event: None)
pixels: NDArray[np.uint8] = art.render(64)
