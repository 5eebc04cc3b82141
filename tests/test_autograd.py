"""Our own automatic differentiation: tensors, every node's gradient, graphs, pictures, AdamW."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from artgen.runs.graph import to_svg
from artgen_plugins.autograd import (
    Abs,
    AdamW,
    Add,
    Broadcast,
    Constant,
    Exp,
    LeakyRelu,
    LearnableParameter,
    Matrix,
    Mul,
    Node,
    Reduce,
    Sin,
    Square,
    Sub,
    Tensor,
    Variable,
    VectorMatrixMultiply,
    to_dot,
)
from artgen_plugins.autograd.graph import topological_order
from artgen_plugins.autograd.nodes import MistransposedMatrix
from artgen_plugins.autograd.tensor import multiply, outer


def random(*shape, seed=0) -> np.ndarray:
    """Numbers of both signs, none of them near 0, where some functions have a kink."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.2, 1.5, shape) * rng.choice([-1.0, 1.0], shape)


def tensor(array) -> Tensor:
    return Tensor(np.shape(array), array)


def array(value: Tensor) -> np.ndarray:
    return value.data.reshape(value.shape)


# ---- tensors -------------------------------------------------------------------------------------


def test_strides_are_row_major():
    made = Tensor([2, 3, 4], np.arange(24))
    assert made.shape == (2, 3, 4)
    assert made.strides == (12, 4, 1)
    assert made[1, 2, 3] == 23
    assert made[0, 1, 2] == 6
    made[[1, 0, 2]] = -5
    assert made.data[14] == -5
    assert Tensor([3])[2] == 0
    assert made.rows.shape == (6, 4)


@pytest.mark.parametrize("indices", [(0,), (0, 0, 0), 0, ()])
def test_the_number_of_indices_must_be_right(indices):
    with pytest.raises(ValueError, match="Incorrect number of indices"):
        Tensor([2, 3])[indices]


@pytest.mark.parametrize("indices", [(2, 0), (0, 3), (-1, 0), (0, -1)])
def test_indices_stay_inside(indices):
    made = Tensor([2, 3])
    with pytest.raises(IndexError, match="Index out of bounds"):
        made[indices]
    with pytest.raises(IndexError, match="Index out of bounds"):
        made[indices] = 1


def test_nested_lists_become_tensors():
    made = Tensor.from_list([[1, 2, 3], [4, 5, 6]])
    assert made.shape == (2, 3)
    assert made[1, 0] == 4
    assert made.data.dtype == np.float64
    assert repr(made) == "Tensor(shape=[2, 3], data=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])"
    with pytest.raises(ValueError, match="inhomogeneous"):
        Tensor.from_list([[1, 2], [3]])
    with pytest.raises(ValueError, match=r"5 numbers do not fill the shape \[2, 3\]"):
        Tensor([2, 3], np.ones(5))


@pytest.mark.parametrize("name", ["__add__", "__sub__", "__mul__", "__truediv__"])
def test_arithmetic_takes_numbers_and_equal_shapes(name):
    a, b = random(2, 3), random(2, 3, seed=1)
    for other, plain in ((tensor(b), b), (2.5, 2.5), (3, 3)):
        result = getattr(tensor(a), name)(other)
        assert result.shape == (2, 3)
        np.testing.assert_array_equal(array(result), getattr(a, name)(plain))
    with pytest.raises(ValueError, match="Shapes must be the same"):
        getattr(tensor(a), name)(tensor(b.T))
    with pytest.raises(TypeError, match="Unsupported operand type: str"):
        getattr(tensor(a), name)("2")
    np.testing.assert_array_equal(array(tensor(a).abs()), abs(a))


@pytest.mark.parametrize("rows", [1, 7, 300])
def test_products_are_those_of_matrices(rows):
    x, m, y = random(rows, 64), random(48, 64, seed=1), random(rows, 48, seed=2)
    np.testing.assert_allclose(array(multiply(tensor(x), tensor(m))), x @ m.T, rtol=1e-12)
    np.testing.assert_allclose(array(outer(tensor(x), tensor(y))), y.T @ x, rtol=1e-10, atol=1e-12)
    # Any axes before the last one are there to count vectors.
    deep = multiply(tensor(x.reshape(rows, 1, 64)), tensor(m))
    assert deep.shape == (rows, 1, 48)


def test_products_of_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="Incompatible matrix dimensions"):
        multiply(Tensor([2, 3]), Tensor([4, 2]))
    with pytest.raises(ValueError, match="Incompatible tensor dimensions"):
        outer(Tensor([2, 3]), Tensor([3, 3]))


# ---- gradients -----------------------------------------------------------------------------------

NODES = {
    "add": (lambda a, b: a + b, lambda a, b: a + b, [(3, 4), (3, 4)]),
    "sub": (lambda a, b: a - b, lambda a, b: a - b, [(3, 4), (3, 4)]),
    "mul": (lambda a, b: a * b, lambda a, b: a * b, [(3, 4), (3, 4)]),
    "square": (lambda a: a.square(), lambda a: a.square(), [(3, 4)]),
    "abs": (lambda a: a.abs(), lambda a: a.abs(), [(3, 4)]),
    "exp": (lambda a: a.exp(), lambda a: a.exp(), [(3, 4)]),
    "sin": (lambda a: a.sin(), lambda a: a.sin(), [(3, 4)]),
    "leaky relu": (
        lambda a: a.leaky_relu(0.1),
        lambda a: torch.nn.functional.leaky_relu(a, 0.1),
        [(3, 4)],
    ),
    "leaky relu, default": (
        lambda a: a.leaky_relu(),
        lambda a: torch.nn.functional.leaky_relu(a),
        [(3, 4)],
    ),
    "reduce": (lambda a: a.sum(), lambda a: a.sum()[None], [(3, 4)]),
    "broadcast first": (
        lambda a: a.broadcast(0, 5),
        lambda a: a.expand(5, 4),
        [(1, 4)],
    ),
    "broadcast last": (
        lambda a: a.broadcast(1, 5),
        lambda a: a.expand(3, 5),
        [(3, 1)],
    ),
    "vector-matrix": (lambda a, m: a.times(m), lambda a, m: a @ m.t(), [(5, 4), (3, 4)]),
    "vector-matrix, one vector": (lambda a, m: a.times(m), lambda a, m: m @ a, [(4,), (3, 4)]),
    "numbers": (lambda a: (a * 3.0 + 2) - 0.5, lambda a: a * 3.0 + 1.5, [(3, 4)]),
    "one node twice": (lambda a: a * a + a.sin() * a, lambda a: a * a + a.sin() * a, [(3, 4)]),
    "a layer": (
        lambda x, m, b: (x.times(m) + b.broadcast(0, 5)).leaky_relu(0.1).square(),
        lambda x, m, b: torch.nn.functional.leaky_relu(x @ m.t() + b, 0.1).square(),
        [(5, 4), (3, 4), (1, 3)],
    ),
}


def leaves(arrays, kind=Variable):
    """The second of two or more is the matrix of a product."""
    return [
        Matrix(tensor(values)) if index == 1 and values.ndim == 2 else kind(tensor(values))
        for index, values in enumerate(arrays)
    ]


@pytest.mark.parametrize("name", NODES)
def test_values_and_gradients_are_those_of_torch(name):
    ours, theirs, shapes = NODES[name]
    arrays = [random(*shape, seed=seed) for seed, shape in enumerate(shapes)]
    inputs = leaves(arrays)
    expected = [torch.from_numpy(values.copy()).requires_grad_() for values in arrays]
    node, result = ours(*inputs), theirs(*expected)
    assert node.shape == tuple(result.shape)
    np.testing.assert_allclose(array(node.materialize()), result.detach().numpy(), rtol=1e-12)

    # Weighed, so that every output has another derivative.
    weight = random(*node.shape, seed=9)
    (node * Constant(tensor(weight))).backward()
    (result * torch.from_numpy(weight)).sum().backward()
    for mine, other in zip(inputs, expected, strict=True):
        np.testing.assert_allclose(array(mine.gradient), other.grad.numpy(), rtol=1e-10)


@pytest.mark.parametrize("name", NODES)
def test_gradients_are_finite_differences(name):
    ours, _, shapes = NODES[name]
    arrays = [random(*shape, seed=seed) for seed, shape in enumerate(shapes)]
    weight = random(*ours(*leaves(arrays)).shape, seed=9)

    def loss(*changed) -> Node:
        inputs = leaves(changed)
        return (ours(*inputs) * Constant(tensor(weight))).sum(), inputs

    root, inputs = loss(*arrays)
    root.backward()
    step = 1e-6
    for index, values in enumerate(arrays):
        slope = np.zeros_like(values)
        for place in np.ndindex(values.shape):
            ends = []
            for sign in (1, -1):
                moved = [other.copy() for other in arrays]
                moved[index][place] += sign * step
                ends.append(loss(*moved)[0].materialize()[0])
            slope[place] = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(array(inputs[index].gradient), slope, rtol=1e-6, atol=1e-8)


def test_kinks_have_the_gradient_that_torch_gives_them():
    zero = Variable(Tensor([1]))
    (zero.abs() + zero.leaky_relu(0.1)).backward()
    expected = torch.zeros(1, requires_grad=True)
    (expected.abs() + torch.nn.functional.leaky_relu(expected, 0.1)).backward()
    assert zero.gradient[0] == pytest.approx(expected.grad.item())


def test_float32_stays_float32():
    x = Variable(Tensor([2, 4], np.ones((2, 4), np.float32)))
    m = Matrix(Tensor([3, 4], np.ones((3, 4), np.float32)))
    b = LearnableParameter(Tensor([1, 3], np.ones((1, 3), np.float32)))
    loss = ((x.times(m) + b.broadcast(0, 2)).leaky_relu(0.1) * 0.5 - 1).square().abs().sin().sum()
    loss.backward()
    for node in topological_order(loss):
        assert node.materialize().data.dtype == np.float32, node.label
        if node.needs_gradient:
            assert node.gradient.data.dtype == np.float32, node.label


# ---- graphs --------------------------------------------------------------------------------------


def test_a_second_call_forgets_the_gradients_of_the_first():
    x = Variable(tensor([3.0]), "x")
    y = x * x
    for _ in range(2):
        y.backward()
        assert x.gradient[0] == 6
        assert y.gradient[0] == 1


def test_nodes_are_evaluated_once():
    calls = []

    class Counted(Square):
        def evaluate(self):
            calls.append(self)
            return super().evaluate()

    node = Counted(Variable(tensor([2.0])))
    total = node + node * node
    assert total.materialize()[0] == 20
    total.backward()
    assert len(calls) == 1
    assert total.materialize() is total.materialize()


def test_the_order_has_dependencies_first_and_everything_once():
    x, y = Variable(tensor([1.0]), "x"), Variable(tensor([2.0]), "y")
    product = x * y
    total = product + product.sin()
    order = topological_order(total)
    assert len(order) == len(set(order)) == 5
    assert order[-1] is total
    for node in order:
        assert all(order.index(each) < order.index(node) for each in node.dependencies)


def test_deep_graphs_do_not_reach_the_limit_of_recursion():
    x = Variable(tensor([1.0]))
    node: Node = x
    for _ in range(5000):
        node = node + 1.0
    node.backward()
    assert node.materialize()[0] == 5001
    assert x.gradient[0] == 1


def test_constants_get_no_gradient():
    x, c = Variable(tensor([3.0])), Constant(tensor([2.0]))
    unchanging = c * c
    (x * unchanging).backward()
    assert x.gradient[0] == 4
    assert c.gradient[0] == unchanging.gradient[0] == 0
    assert not unchanging.needs_gradient


@pytest.mark.parametrize("kind", [Add, Sub, Mul])
def test_shapes_must_be_equal(kind):
    with pytest.raises(ValueError, match=f"Incompatible tensor dimensions of {kind.__name__}"):
        kind(Variable(Tensor([2, 3])), Variable(Tensor([3, 2])))


def test_wrong_nodes_are_refused():
    x = Variable(Tensor([2, 3]))
    with pytest.raises(ValueError, match="Incompatible matrix dimensions"):
        x.times(Matrix(Tensor([3, 2])))
    with pytest.raises(TypeError, match="it takes a Matrix, not Variable"):
        x.times(Variable(Tensor([4, 3])))
    with pytest.raises(ValueError, match="has not the size 1"):
        x.broadcast(0, 5)
    with pytest.raises(ValueError, match="has not the size 1"):
        x.broadcast(2, 5)
    with pytest.raises(TypeError, match="Unsupported operand type: str"):
        x + "1"
    with pytest.raises(TypeError, match="Values must be a Tensor"):
        Variable([1.0])
    with pytest.raises(ValueError, match="A matrix has two axes"):
        Matrix(Tensor([4]))


def test_random_parameters_have_the_spread_of_their_last_axis():
    rng = np.random.default_rng(0)
    for shape in ([400, 100], [1, 900]):
        values = LearnableParameter.random(shape, rng).values
        assert values.shape == tuple(shape)
        assert values.data.std() == pytest.approx(shape[-1] ** -0.5, rel=0.1)
        assert abs(values.data.mean()) < 0.02


# ---- the published transpose ---------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(64, 64), (1, 5), (5, 1)])
def test_the_published_transpose_is_right_for_squares_rows_and_columns(shape):
    values = random(*shape)
    np.testing.assert_array_equal(array(MistransposedMatrix(tensor(values)).transposed()), values.T)


def test_the_published_transpose_scrambles_others():
    values = np.arange(6.0).reshape(2, 3)
    right, wrong = Matrix(tensor(values)), MistransposedMatrix(tensor(values))
    np.testing.assert_array_equal(array(right.transposed()), [[0, 3], [1, 4], [2, 5]])
    # Both strides are swapped: number (i, j) of what ought to be written is read from j·2 + i.
    np.testing.assert_array_equal(wrong.transposed().data, [0, 2, 4, 1, 3, 5])
    assert wrong.transposed().shape == (3, 2)
    assert wrong.label == right.label

    x = random(7, 3)
    gradients = []
    for matrix in (right, wrong):
        vectors = Variable(tensor(x))
        vectors.times(matrix).square().sum().backward()
        gradients.append((array(vectors.gradient), array(matrix.gradient)))
    # The matrix itself gets the right gradient, what lies below it does not.
    np.testing.assert_array_equal(gradients[0][1], gradients[1][1])
    assert not np.allclose(gradients[0][0], gradients[1][0])


# ---- pictures ------------------------------------------------------------------------------------


def small_graph() -> Node:
    x = Constant(tensor([0.5, 2.0, 1.0]), "x")
    layer = x.times(Matrix(Tensor([2, 3]))) + LearnableParameter(tensor([0.12345, -1.0]))
    return (layer.leaky_relu(0.1) * Constant(tensor([2.0, 1 / 3]))).sum()


def test_the_graph_in_the_dot_language():
    assert (
        to_dot(small_graph())
        == """digraph G {
    0 [label="Variable(x)"];
    1 [label="Matrix([2, 3])"];
    2 [label="VectorMatrixMultiply"];
    2 -> 0;
    2 -> 1;
    3 [label="LearnableParameter([0.123, -1.0])"];
    4 [label="Add"];
    4 -> 2;
    4 -> 3;
    5 [label="LeakyRelu"];
    5 -> 4;
    6 [label="Constant([2.0, 0.333])"];
    7 [label="Mul"];
    7 -> 5;
    7 -> 6;
    8 [label="Reduce"];
    8 -> 7;
}
"""
    )


@pytest.mark.parametrize(
    ("node", "label"),
    [
        (Abs(Variable(Tensor([1]))), "Abs"),
        (Exp(Variable(Tensor([1]))), "Exp"),
        (Sin(Variable(Tensor([1]))), "Sin"),
        (Square(Variable(Tensor([1]))), "Square"),
        (Sub(Variable(Tensor([1])), Variable(Tensor([1]))), "Sub"),
        (LeakyRelu(Variable(Tensor([1]))), "LeakyRelu"),
        (Reduce(Variable(Tensor([1]))), "Reduce"),
        (Broadcast(Variable(Tensor([1])), 0, 3), "Broadcast"),
        (
            VectorMatrixMultiply(Variable(Tensor([2])), Matrix(Tensor([3, 2]))),
            "VectorMatrixMultiply",
        ),
        (Variable(Tensor([2])), "Constant([0.0, 0.0])"),
        (Constant(Tensor([2, 8])), "Constant(shape=[2, 8])"),
        (LearnableParameter(Tensor([1, 64])), "LearnableParameter(shape=[1, 64])"),
        (Variable(Tensor([1]), 'a "b"\\'), 'Variable(a "b"\\)'),
    ],
)
def test_labels(node, label):
    assert node.label == label


def test_names_cannot_break_out_of_their_label():
    dot = to_dot(Variable(Tensor([1]), 'a "b"\\'))
    assert '0 [label="Variable(a \\"b\\"\\\\)"];' in dot


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that is the whole PATH; a function makes a program `dot` in it."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def make(script: str) -> None:
        program = tmp_path / "dot"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    return make


def test_without_graphviz_there_is_no_picture(programs):
    assert to_svg("digraph G {}") is None


def test_graphviz_gets_the_text_and_draws_svg(programs):
    programs('read line; echo "$1 $line"')
    assert to_svg("digraph G {\n}") == b"-Tsvg digraph G {\n"


def test_a_graphviz_that_fails_draws_nothing(programs):
    programs("echo half; exit 1")
    assert to_svg("digraph G {}") is None


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_our_graphs():
    svg = to_svg(to_dot(small_graph()))
    assert svg is not None
    assert svg.count(b'class="node"') == 9
    assert svg.count(b'class="edge"') == 8


# ---- AdamW ---------------------------------------------------------------------------------------


def gradients(steps, size=6):
    """Of a parameter that begins at the same numbers everywhere below."""
    return [random(size, seed=100 + k) * (1 + k % 3) for k in range(steps)]


def fitted(variant, steps=40, **settings):
    parameter = LearnableParameter(tensor(random(6)))
    optimizer = AdamW([parameter], variant=variant, **settings)
    for gradient in gradients(steps):
        parameter.zero_gradient()
        parameter.accumulate(tensor(gradient))
        optimizer.step([0.02])
    return parameter.values.data


def test_the_standard_variant_is_that_of_torch():
    settings = {"betas": (0.85, 0.97), "epsilon": 1e-8, "weight_decay": 0.1}
    value = torch.from_numpy(random(6)).requires_grad_()
    optimizer = torch.optim.AdamW([value], lr=0.02, betas=(0.85, 0.97), eps=1e-8, weight_decay=0.1)
    for gradient in gradients(40):
        value.grad = torch.from_numpy(gradient)
        optimizer.step()
    np.testing.assert_allclose(fitted("adamw", **settings), value.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("variant", ["adamw-centred", "adamw-uncorrected"])
def test_the_published_variants_restated(variant):
    """Number by number, as the articles tell it."""
    rate, (beta1, beta2), decay = 0.02, (0.92, 0.95), 0.01
    expected = []
    for index, value in enumerate(random(6)):
        mean = square = 0.0
        for gradient in gradients(40):
            mean = beta1 * mean + (1 - beta1) * gradient[index]
            square = beta2 * square + (1 - beta2) * gradient[index] ** 2
            spread = abs(square - mean**2) if variant == "adamw-centred" else square
            value -= rate * mean / (spread**0.5 + 1e-8)
            value -= decay * rate * value
        expected.append(value)
    found = fitted(variant, betas=(beta1, beta2), epsilon=1e-8, weight_decay=decay)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_rates_belong_to_parameters():
    slow, fast = LearnableParameter(tensor([1.0])), LearnableParameter(tensor([1.0]))
    optimizer = AdamW([slow, fast], weight_decay=0.0)
    (slow + fast).sum().backward()
    optimizer.step([0.1, 0.3])
    assert slow.values[0] == pytest.approx(0.9)
    assert fast.values[0] == pytest.approx(0.7)


# ---- a curve -------------------------------------------------------------------------------------


def test_a_network_learns_a_curve_from_single_samples():
    """The experiment of the first article: 1-64-64-1, a target that is a graph itself."""
    rng = np.random.default_rng(1)
    shapes = [(64, 1), (64,), (64, 64), (64,), (1, 64), (1,)]
    m0, b0, m1, b1, m2, b2 = parameters = [
        (Matrix if len(shape) == 2 else LearnableParameter)(tensor(rng.random(shape)))
        for shape in shapes
    ]

    def network(x: Node) -> Node:
        value = (x.times(m0) + b0).leaky_relu(0.1)
        value = (value.times(m1) + b1).leaky_relu(0.1)
        return value.times(m2) + b2

    def target(x: Node) -> Node:
        return x.square() * 2.777 + 0.123 - x * x * x * 1.5 + (x * 4.0).sin()

    def mean_squared_error() -> float:
        total = 0.0
        for x in np.linspace(-1, 0.99, 100):
            node = Variable(tensor([x]), "x")
            total += (network(node) - target(node)).square().materialize()[0] / 100
        return total

    optimizer = AdamW(parameters, variant="adamw-centred", betas=(0.9, 0.9), weight_decay=0.001)
    before = mean_squared_error()
    for _ in range(1500):
        x = Variable(tensor([rng.uniform(-1, 1)]), "x")
        (network(x) - target(x)).square().sum().backward()
        optimizer.step([0.001] * len(parameters))
    assert sum(each.values.data.size for each in parameters) == 4353
    assert before > 100
    assert mean_squared_error() < 0.15


def test_reading_it_needs_numpy_only():
    """No file of the package knows torch or pictures."""
    folder = Path(__file__).parent.parent / "plugins" / "artgen_plugins" / "autograd"
    border = re.compile("import torch|from artgen.(drawing|raster|primitives)")
    texts = [path.read_text() for path in folder.glob("*.py")]
    assert len(texts) == 6
    assert not any(border.search(text) for text in texts)
