"""The nodes of a graph: each knows its value given those below, and its part of the chain rule.

A node y = f(a, b, ...) answers two questions. `evaluate`: what is y? `distribute`: given ∂L/∂y, the
derivative of some loss L, what does each dependency get? It gets ∂L/∂y·∂y/∂a, added to what
it has from others. All else (the order, the cache, going through the graph) is in `graph`.

    x = Variable(Tensor([1], [3.0]), "x")
    y = x * x + x.sin()
    y.materialize()[0]           # 9.1411...
    y.backward()
    x.gradient[0]                # 2x + cos x = 5.0100...

Leaves hold values: `Variable` and `Constant` are given, `LearnableParameter` and `Matrix` are what
an optimizer changes. A node keeps its value once it is known, so after a change of the leaves the
graph is built again, which costs microseconds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen_plugins.autograd import graph
from artgen_plugins.autograd.tensor import Tensor, multiply, outer

Array = NDArray[Any]

_FEW = 3
"""Pictures of the graph show the numbers of leaves up to this size, and the shape of others."""


class Node:
    """A value of shape `shape` that depends on the values of other nodes.

    Operators and methods build the graph upwards; a number beside a node stands for a constant of
    the node's shape. Shapes that do not fit together are a ValueError.
    """

    def __init__(self, shape: Sequence[int], *dependencies: Node) -> None:
        self.shape = tuple(shape)
        self.dependencies = dependencies
        self.dtype: np.dtype[Any] = dependencies[0].dtype if dependencies else np.dtype(float)
        self.needs_gradient: bool = any(each.needs_gradient for each in dependencies)
        self.value: Tensor | None = None
        self._gradient: Tensor | None = None

    def evaluate(self) -> Tensor:
        """The value, given the values of the dependencies."""
        raise NotImplementedError

    def distribute(self) -> None:
        """Hand the gradient on to the dependencies."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """The label of the node in a picture of the graph."""
        return type(self).__name__

    def materialize(self) -> Tensor:
        """The value, evaluated now unless it is known."""
        return graph.materialize(self)

    def backward(self) -> None:
        """Fill in the gradients of all nodes below: derivatives of the sum of this one's values."""
        graph.backward(self)

    @property
    def gradient(self) -> Tensor:
        """The derivative by this node's value that the last `backward` left here; else zeros."""
        return Tensor(self.shape) if self._gradient is None else self._gradient

    def zero_gradient(self) -> None:
        """Forget the gradient."""
        self._gradient = None

    def accumulate(self, gradient: Tensor) -> None:
        """Add `gradient` to what has already flowed here, where anything below asks for it."""
        if self.needs_gradient:
            before = self._gradient
            self._gradient = gradient if before is None else before + gradient

    def __add__(self, other: Node | float) -> Node:
        return Add(self, self._node(other))

    def __sub__(self, other: Node | float) -> Node:
        return Sub(self, self._node(other))

    def __mul__(self, other: Node | float) -> Node:
        return Mul(self, self._node(other))

    def times(self, matrix: Node) -> Node:
        """Every vector along the last axis times `matrix` [outputs, inputs]."""
        return VectorMatrixMultiply(self, matrix)

    def broadcast(self, axis: int, size: int) -> Node:
        """`size` copies along `axis`, which has the size 1."""
        return Broadcast(self, axis, size)

    def leaky_relu(self, slope: float = 0.01) -> Node:
        """max(a, slope·a)."""
        return LeakyRelu(self, slope)

    def square(self) -> Node:
        """a²."""
        return Square(self)

    def abs(self) -> Node:
        """|a|."""
        return Abs(self)

    def exp(self) -> Node:
        """eᵃ."""
        return Exp(self)

    def sin(self) -> Node:
        """sin a."""
        return Sin(self)

    def sum(self) -> Node:
        """The sum of all numbers, of shape [1]."""
        return Reduce(self)

    def _node(self, other: Node | float) -> Node:
        if isinstance(other, Node):
            return other
        if not isinstance(other, int | float):
            raise TypeError(f"Unsupported operand type: {type(other).__name__}")
        return Constant(Tensor(self.shape, np.full(self.shape, other, self.dtype)))


class Variable(Node):
    """A value from outside, such as the input of a network."""

    def __init__(self, values: Tensor, name: str | None = None) -> None:
        if not isinstance(values, Tensor):
            raise TypeError(f"Values must be a Tensor, not {type(values).__name__}")
        super().__init__(values.shape)
        self.value = self.values = values
        self.dtype = values.data.dtype
        self.name = name
        self.needs_gradient = True

    def evaluate(self) -> Tensor:
        """The value it holds."""
        return self.values

    def distribute(self) -> None:
        """A leaf keeps its gradient."""

    @property
    def label(self) -> str:
        """Its name where it has one."""
        return f"Variable({self.name})" if self.name else f"Constant({_spelled(self.values)})"


class Constant(Variable):
    """A value without a gradient."""

    def __init__(self, values: Tensor, name: str | None = None) -> None:
        super().__init__(values, name)
        self.needs_gradient = False


class LearnableParameter(Variable):
    """Numbers that an optimizer changes in place, such as a bias."""

    @property
    def label(self) -> str:
        """Its values where they are few, else its shape."""
        return f"LearnableParameter({_spelled(self.values)})"

    @classmethod
    def random(cls, shape: Sequence[int], rng: np.random.Generator) -> LearnableParameter:
        """Normal numbers with the standard deviation 1/√n, n being the size of the last axis."""
        return cls(Tensor(shape, rng.normal(size=shape) / np.sqrt(shape[-1])))


class Matrix(LearnableParameter):
    """Weights [outputs, inputs] of a linear layer."""

    def __init__(self, values: Tensor, name: str | None = None) -> None:
        super().__init__(values, name)
        if len(self.shape) != 2:
            raise ValueError(f"A matrix has two axes, not the shape {list(self.shape)}")

    def transposed(self) -> Tensor:
        """The values as [inputs, outputs]."""
        return Tensor(self.shape[::-1], self.values.rows.T)

    @property
    def label(self) -> str:
        """Its shape."""
        return f"Matrix({list(self.shape)})"


class MistransposedMatrix(Matrix):
    """A matrix with the transpose of the published code, which swaps the strides in both loops.

    The result is right for square matrices, single rows and single columns only. Others send a
    scrambled gradient to all layers below.
    """

    def transposed(self) -> Tensor:
        """The published transpose, [inputs, outputs]."""
        outputs, inputs = self.shape
        return Tensor((inputs, outputs), self.values.data.reshape(inputs, outputs).T)


def _spelled(values: Tensor) -> str:
    if len(values.data) > _FEW:
        return f"shape={list(values.shape)}"
    return "[" + ", ".join(str(round(float(value), 3)) for value in values.data) + "]"


class _OfOne(Node):
    """A `function` of every number of one node, and its `derivative`."""

    function: Callable[[Array], Array]
    derivative: Callable[[Array], Array]

    def __init__(self, a: Node) -> None:
        super().__init__(a.shape, a)
        self.a = a

    def evaluate(self) -> Tensor:
        """The function of a."""
        return _value(self.a).mapped(self.function)

    def distribute(self) -> None:
        """Its derivative."""
        self.a.accumulate(self.gradient * _value(self.a).mapped(self.derivative))


class _OfTwo(Node):
    """An `operation` on the numbers of two nodes of the same shape, pair by pair."""

    operation: Callable[[Tensor, Tensor], Tensor]

    def __init__(self, a: Node, b: Node) -> None:
        if a.shape != b.shape:
            raise ValueError(
                f"Incompatible tensor dimensions of {type(self).__name__}: "
                f"{list(a.shape)} and {list(b.shape)}"
            )
        super().__init__(a.shape, a, b)
        self.a, self.b = a, b

    def evaluate(self) -> Tensor:
        """The operation on a and b."""
        return self.operation(_value(self.a), _value(self.b))


class Add(_OfTwo):
    """a + b."""

    operation = staticmethod(operator.add)

    def distribute(self) -> None:
        """1 for both."""
        self.a.accumulate(self.gradient)
        self.b.accumulate(self.gradient)


class Sub(_OfTwo):
    """a − b."""

    operation = staticmethod(operator.sub)

    def distribute(self) -> None:
        """1 for a, −1 for b."""
        self.a.accumulate(self.gradient)
        if self.b.needs_gradient:
            self.b.accumulate(self.gradient * -1.0)


class Mul(_OfTwo):
    """a·b, number by number."""

    operation = staticmethod(operator.mul)

    def distribute(self) -> None:
        """b for a, and a for b."""
        if self.a.needs_gradient:
            self.a.accumulate(self.gradient * _value(self.b))
        if self.b.needs_gradient:
            self.b.accumulate(self.gradient * _value(self.a))


class Square(_OfOne):
    """a², with the derivative 2a."""

    function = np.square
    derivative = staticmethod(lambda a: 2 * a)


class Abs(_OfOne):
    """|a|, with the sign of a as derivative; 0 at 0, where there is none."""

    function = np.abs
    derivative = np.sign


class Exp(_OfOne):
    """eᵃ, which is its own derivative."""

    function = derivative = np.exp


class Sin(_OfOne):
    """sin a, with the derivative cos a."""

    function = np.sin
    derivative = np.cos


class LeakyRelu(_OfOne):
    """a where it is positive, else slope·a; the derivative is that factor."""

    def __init__(self, a: Node, slope: float = 0.01) -> None:
        super().__init__(a)
        self.slope = slope

    def function(self, a: Array) -> Array:
        """a times the factor."""
        return a * self.derivative(a)

    def derivative(self, a: Array) -> Array:
        """1 where a is positive, else the slope."""
        # Ten times as fast as `numpy.where`, which branches.
        return (a > 0).astype(a.dtype) * (1 - self.slope) + self.slope


class Reduce(Node):
    """The sum of all numbers, as a tensor of shape [1]."""

    def __init__(self, a: Node) -> None:
        super().__init__([1], a)
        self.a = a

    def evaluate(self) -> Tensor:
        """∑ a."""
        return Tensor([1], _value(self.a).data.sum(keepdims=True))

    def distribute(self) -> None:
        """1 for every number."""
        self.a.accumulate(Tensor(self.a.shape, self.gradient.data.repeat(_value(self.a).data.size)))


class Broadcast(Node):
    """Copies of a along one of its axes, such as a bias for every vector of a batch."""

    def __init__(self, a: Node, axis: int, size: int) -> None:
        if not 0 <= axis < len(a.shape) or a.shape[axis] != 1:
            raise ValueError(f"axis {axis} of the shape {list(a.shape)} has not the size 1")
        super().__init__((*a.shape[:axis], size, *a.shape[axis + 1 :]), a)
        self.a, self.axis = a, axis

    def evaluate(self) -> Tensor:
        """The copies."""
        source = _value(self.a).data.reshape(self.a.shape)
        return Tensor(self.shape, np.broadcast_to(source, self.shape))

    def distribute(self) -> None:
        """Every copy sends its gradient to the one source."""
        gradient = self.gradient.data.reshape(self.shape)
        self.a.accumulate(Tensor(self.a.shape, gradient.sum(self.axis, keepdims=True)))


class VectorMatrixMultiply(Node):
    """Every vector [..., inputs] times a matrix [outputs, inputs]: y[s, o] = ∑ᵢ x[s, i]·m[o, i]."""

    def __init__(self, vectors: Node, matrix: Node) -> None:
        if not isinstance(matrix, Matrix):
            raise TypeError(f"it takes a Matrix, not {type(matrix).__name__}")
        if vectors.shape[-1:] != matrix.shape[1:]:
            raise ValueError(
                f"Incompatible matrix dimensions: vectors {list(vectors.shape)}, "
                f"matrix {list(matrix.shape)}"
            )
        super().__init__((*vectors.shape[:-1], matrix.shape[0]), vectors, matrix)
        self.vectors, self.matrix = vectors, matrix

    def evaluate(self) -> Tensor:
        """x·mᵀ."""
        return multiply(_value(self.vectors), self.matrix.values)

    def distribute(self) -> None:
        """∂y·m for x, and the outer products of ∂y and x for m."""
        if self.vectors.needs_gradient:
            self.vectors.accumulate(multiply(self.gradient, self.matrix.transposed()))
        if self.matrix.needs_gradient:
            self.matrix.accumulate(outer(_value(self.vectors), self.gradient))


def _value(node: Node) -> Tensor:
    """What the graph has evaluated before it comes to those that depend on it."""
    assert node.value is not None
    return node.value
