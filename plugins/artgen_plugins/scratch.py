"""The engine `scratch`: fields fitted by our own gradients, in numpy.

Every step draws random pixels or samples, builds the graph of their loss, lets gradients flow back
through it and takes a step of AdamW. Torch is met at the border only: problems and drawings hold
its tensors, and the full target is evaluated as for any other engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from artgen import Drawing, Engine, Field, option
from artgen.engines import (
    AdamOptions,
    Problem,
    Report,
    State,
    check_finite,
    fit_memory_errors,
    picture_psnr,
    rate_factor,
)
from artgen.errors import InputError, UsageError
from artgen.family import Memory, evaluate, paint
from artgen.init import Context
from artgen.losses import exponential, l1, mse
from artgen.targets import DEFAULT_REQUEST, SampleTarget, TargetRequest, curve_from_function
from artgen_plugins.autograd import (
    AdamW,
    Constant,
    LearnableParameter,
    Matrix,
    MistransposedMatrix,
    Node,
    Tensor,
    Variable,
    to_dot,
)

Array = NDArray[Any]

_ERRORS: dict[Any, Callable[[Node], Node]] = {
    mse: lambda difference: difference.square(),
    l1: lambda difference: difference.abs(),
    exponential: lambda difference: difference.abs().exp() - 1.0,
}
"""The losses that can be built of nodes: the error of every channel, given the difference."""

_KEPT_FEATURES = 2**24
"""The features of all pixels are computed once where they are no more numbers than these."""

_ENCODED_AT_ONCE = 2**14

_PIXELS_AT_ONCE = 2**11
"""Larger batches are cut into graphs of this many pixels, whose gradients are added."""


class ScratchEngine(Engine):
    """AdamW on a graph of our own nodes; for fields that define `graph`."""

    supports = ("palette", "replanning")

    @dataclass(frozen=True)
    class Options(AdamOptions):
        """Options of `scratch`."""

        optimizer: Literal["adamw", "adamw-centred", "adamw-uncorrected"] = option(
            "adamw", "variant of AdamW"
        )
        batch: int = option(256, "pixels or samples per step; 0 uses all", low=0)
        compat_transpose: bool = option(
            False, "repeat the published code's wrong gradient of matrices that are not square"
        )

    @classmethod
    def primitive_checks(cls) -> tuple[Callable[[Any], str | None], ...]:
        """Whether the graph of a field is what its `forward` computes."""
        from artgen_plugins._graph_check import graph

        return (graph,)

    def start(self, problem: Problem) -> None:
        """Make nodes of the drawing's parameters.

        Raises UsageError for a field without a graph and for a loss that no nodes express.
        """
        self.problem = problem
        self.options: ScratchEngine.Options = self.parse(problem)
        self.primitive = _checked(problem)
        self.forward = self.primitive.graph
        self.options.check_betas()
        self.canvas = problem.drawing.canvas
        self.memory = Memory()
        self.at_once = _PIXELS_AT_ONCE
        self.step, self.factor = 0, 1.0
        self.rng = np.random.default_rng(problem.seed)

        params = problem.primitive.parameters()
        context = Context(torch.Generator(), self.canvas, 1)
        self.rates = {name: param.rate(context) for name, param in params.items()}
        self.bounds = {name: param.bounds(context) for name, param in params.items()}
        tensors = problem.drawing.tensors
        self.shapes = {name: tuple(tensors[name].shape) for name in params}
        self._adopt({name: _array(tensors[name]) for name in params})
        self.best_loss, self.best = math.inf, self._copy()

        # Scores of colours are a regression, as values are.
        self.target = _array(self.primitive.goal(problem.target).flatten(1)).T
        self.weight = None if problem.weight is None else _array(problem.weight).reshape(-1)
        if problem.positions is not None:
            self.positions = _array(problem.positions)
        else:
            x, y = self.canvas.pixel_centres()
            self.positions = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        self.sampled = 0 < self.options.batch < len(self.positions)
        self.features: Array | None = None
        width = self._encoded(np.arange(1)).shape[1]
        fixed = problem.function is None or not self.sampled
        if fixed and width * len(self.positions) <= _KEPT_FEATURES:
            everything = np.arange(len(self.positions))
            pieces = np.split(everything, everything[_ENCODED_AT_ONCE::_ENCODED_AT_ONCE])
            self.features = np.concatenate([self._encoded(piece) for piece in pieces])

    def advance(self, steps: int) -> None:
        """Take this many steps, each with a graph of its own."""
        # The next report detects overflow.
        with np.errstate(all="ignore"), fit_memory_errors("--size or engine.batch"):
            for _ in range(steps):
                self._flow_back(self._pixels(self.rng))
                factor = self.factor * self.options.rate
                factor *= rate_factor(self.options, self.step, self.problem.progress(self.step))
                self.optimizer.step([factor * self.rates[name] for name in self.learned])
                for name, node in self.learned.items():
                    low, high = self.bounds[name]
                    if math.isfinite(low) or math.isfinite(high):
                        np.clip(node.values.data, low, high, out=node.values.data)
                self.step += 1

    def report(self) -> Report:
        """Loss and PSNR of the full target; raises Diverged where something is not finite."""
        problem = self.problem
        tensors = self._tensors(self._copy())
        with fit_memory_errors("--size or engine.batch"):
            if problem.positions is not None:
                image = evaluate(self.primitive, tensors, problem.positions, self.memory)
                psnr = None
            else:
                image = paint(self.primitive, tensors, self.canvas, memory=self.memory)
                psnr = picture_psnr(image, problem.target, problem.weight)
            loss = float(problem.loss(image, problem.target, problem.weight))
        check_finite({**tensors, "the loss": loss}, self.step)
        improved = loss < self.best_loss
        if improved:
            self.best_loss, self.best = loss, self._copy()
        return Report(self.step, loss, psnr, improved)

    def drawing(self, best: bool) -> Drawing:
        """Copies of the current or the best parameters."""
        values = self.best if best else self._copy()
        return replace(self.problem.drawing, tensors=self._tensors(values)).detach()

    def graph(self) -> str:
        """The loss of the first batch, in the DOT language."""
        pixels = self._pixels(np.random.default_rng(self.problem.seed))
        return to_dot(self._loss(pixels, self._shares(pixels)))

    @staticmethod
    def differentiate(
        field: Field, features: Array, params: Mapping[str, Array]
    ) -> tuple[Array, dict[str, Array]]:
        """The values [M, outputs] of a field's graph, and the gradients of their squares' sum."""
        nodes = {name: _parameter(value) for name, value in params.items()}
        values = field.graph(Constant(_tensor(features), "x"), nodes)
        found = values.materialize().data.reshape(values.shape)
        values.square().sum().backward()
        return found, {
            name: node.gradient.data.reshape(params[name].shape) for name, node in nodes.items()
        }

    def recover(self, rate: float) -> None:
        """Back to the best parameters with fresh moments and smaller rates."""
        self._adopt(self.best)
        self.factor *= rate

    def limit_memory(self, share: float) -> None:
        """Smaller graphs, features computed when they are needed, smaller pieces of the picture."""
        self.at_once = max(1, int(self.at_once * share))
        self.features = None
        self.memory = self.memory.shrunk(share)

    def state_dict(self) -> State:
        """Parameters, the best ones, moments, the generator, the step."""
        state: State = {"step": self.step, "factor": self.factor, "best_loss": self.best_loss}
        state["memory"], state["at_once"] = self.memory.evaluations, self.at_once
        state["keeps_features"] = self.features is not None
        state["generator"], state["moments"] = self.rng.bit_generator.state, self.optimizer.steps
        groups = {"value": self._copy(), "best": self.best}
        groups["mean"] = dict(zip(self.learned, self.optimizer.mean, strict=True))
        groups["square"] = dict(zip(self.learned, self.optimizer.square, strict=True))
        for group, arrays in groups.items():
            for name, array in arrays.items():
                state[f"{group}.{name}"] = torch.from_numpy(array.copy())
        return state

    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        self.step, self.factor = int(state["step"]), float(state["factor"])
        self.best_loss = float(state["best_loss"])
        self.memory, self.at_once = Memory(int(state["memory"])), int(state["at_once"])
        if not state["keeps_features"]:
            self.features = None
        self.rng.bit_generator.state = state["generator"]
        self.best = {name: _array(state[f"best.{name}"]).copy() for name in self.shapes}
        self._adopt({name: _array(state[f"value.{name}"]) for name in self.shapes})
        self.optimizer.steps = int(state["moments"])
        for group, arrays in (("mean", self.optimizer.mean), ("square", self.optimizer.square)):
            for name, array in zip(self.learned, arrays, strict=True):
                array[:] = state[f"{group}.{name}"].numpy()

    def _pixels(self, rng: np.random.Generator) -> Array:
        """Numbers of random pixels or samples, drawn with replacement; or of all.

        Those of a function are new ones, anywhere.
        """
        batch, function = self.options.batch, self.problem.function
        if not self.sampled:
            return np.arange(len(self.positions))
        if function is None:
            return rng.integers(len(self.positions), size=batch)
        places = rng.uniform(-1, 1, (batch, self.positions.shape[1]))
        self.positions = places.astype(np.float32)
        self.target = _array(function(torch.from_numpy(self.positions)))
        return np.arange(batch)

    def _shares(self, pixels: Array) -> Array:
        """The weight of each channel of each pixel, [M, 1]; the channels' sum to 1."""
        channels = self.target.shape[1]
        if self.weight is None:
            return np.full((len(pixels), 1), 1 / (channels * len(pixels)), np.float32)
        weight = self.weight[pixels, None]
        total = channels * float(weight.sum())
        # Where all weights are 0, so are the shares.
        return np.asarray(weight / max(total, float(np.finfo(np.float32).tiny)))

    def _flow_back(self, pixels: Array) -> None:
        """Leave in every parameter the gradient of the loss of these pixels."""
        shares = self._shares(pixels)
        before: list[Tensor] = []
        for start in range(0, len(pixels), self.at_once):
            some = slice(start, start + self.at_once)
            self._loss(pixels[some], shares[some]).backward()
            for node, gradient in zip(self.learned.values(), before, strict=False):
                node.accumulate(gradient)
            before = [node.gradient for node in self.learned.values()]

    def _loss(self, pixels: Array, shares: Array) -> Node:
        """The graph of the loss: a mean over pixels and channels."""
        features = Constant(_tensor(self._encoded(pixels)), "x")
        target = Constant(_tensor(self.target[pixels]), "target")
        share = Constant(_tensor(np.repeat(shares, self.target.shape[1], axis=1)), "share")
        difference = self.forward(features, self.nodes) - target
        first, *others = self.problem.loss.terms
        error = _weighted(_ERRORS[first.function](difference), first.weight)
        for term in others:
            error = error + _weighted(_ERRORS[term.function](difference), term.weight)
        return (error * share).sum()

    def _encoded(self, pixels: Array) -> Array:
        """The features of these pixels, [M, k]."""
        if self.features is not None:
            return self.features[pixels]
        return _array(self.primitive.encode(torch.from_numpy(self.positions[pixels])))

    def _adopt(self, values: dict[str, Array]) -> None:
        """Continue with copies of these values, and with fresh moments."""
        matrix = MistransposedMatrix if self.options.compat_transpose else Matrix
        self.nodes: dict[str, Node] = {}
        self.learned: dict[str, LearnableParameter] = {}
        for name, value in values.items():
            node = _parameter(value.reshape(self.shapes[name]), matrix)
            if self.rates[name] > 0:
                self.learned[name] = node
            else:
                node.needs_gradient = False
            self.nodes[name] = node
        options = self.options
        self.optimizer = AdamW(
            list(self.learned.values()),
            variant=options.optimizer,
            betas=(options.beta1, options.beta2),
            epsilon=options.epsilon,
            weight_decay=options.weight_decay,
        )

    def _copy(self) -> dict[str, Array]:
        return {name: node.materialize().data.copy() for name, node in self.nodes.items()}

    def _tensors(self, values: dict[str, Array]) -> dict[str, torch.Tensor]:
        return {
            name: torch.from_numpy(value.reshape(self.shapes[name]))
            for name, value in values.items()
        }


def curve_from_graph(
    graph: Callable[[Node], Node],
    request: TargetRequest = DEFAULT_REQUEST,
    name: str = "curve",
    **interval: Any,
) -> SampleTarget:
    """Make a target of a function built from nodes; `interval` as in `curve_from_function`.

    `graph` gets a node of M values of x, [M, 1], and returns one of the same shape. Raises
    InputError naming `name`, and ValueError for nodes whose shapes do not fit.
    """

    def function(x: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(all="ignore"):
            y = graph(Variable(Tensor((len(x), 1), x), "x")).materialize()
        if y.shape != (len(x), 1):
            raise InputError(f"{name}: the graph gives the shape {list(y.shape)} for [{len(x)}, 1]")
        return y.data.astype(np.float64)

    return curve_from_function(function, request, name, **interval)


def _checked(problem: Problem) -> Field:
    """The problem's field. Raises UsageError for what the engine cannot do."""
    primitive = problem.primitive
    name = problem.drawing.primitive
    if not (isinstance(primitive, Field) and primitive.has_graph):
        raise UsageError(f"{name} has no graph for engine scratch", hint="use -e gradient")
    for param_name, param in primitive.parameters().items():
        if param.map.function != "identity" or (param.map.scale, param.map.shift) != (1.0, 0.0):
            raise UsageError(
                f"engine scratch does not support the map {param.map.function} of "
                f"{name}.{param_name}",
                hint="use -e gradient",
            )
    for term in problem.loss.terms:
        if term.function not in _ERRORS:
            known = ", ".join(sorted(function.__name__ for function in _ERRORS))
            raise UsageError(
                f"engine scratch does not support the loss {term.name!r}",
                hint=f"use {known} or a mixture of them, or -e gradient",
            )
    return primitive


def _parameter(value: Array, matrix: type[Matrix] = Matrix) -> LearnableParameter:
    """A copy of a parameter [n, k], or [1, n] of one that is [n], as a node to learn."""
    kind = matrix if value.ndim == 2 else LearnableParameter
    return kind(Tensor(value.shape if value.ndim > 1 else (1, *value.shape), value.copy()))


def _weighted(error: Node, weight: float) -> Node:
    return error if weight == 1 else error * weight


def _array(tensor: torch.Tensor) -> Array:
    return tensor.detach().to("cpu", torch.float32).numpy()


def _tensor(array: Array) -> Tensor:
    return Tensor(array.shape, array)
