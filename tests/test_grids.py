"""Grids of learned features: kernels against plain torch, and both against what is known."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torch.nn.functional import linear

from artgen import nn
from artgen.nn import cuda
from artgen_plugins.hashgrid import HashGrid

LARGEST = 64


def scene(axes, features, levels=5, count=300):
    """Cells, positions (some outside of 0 to 1) and a table; fine levels are hashed."""
    cells = [
        [max(1, round(3 * 1.8**level) - axis) for axis in range(axes)] for level in range(levels)
    ]
    rng = torch.Generator().manual_seed(axes)
    positions = 1.1 * torch.rand(count, axes, generator=rng) - 0.05
    table = torch.randn(sum(nn.grid_rows(cells, LARGEST)), features, generator=rng)
    return cells, positions, table


def features_and_gradient(positions, table, cells):
    table = table.clone().requires_grad_()
    features = nn.interpolate_grids(positions, table, cells, LARGEST)
    incoming = torch.linspace(-1, 1, features.numel()).reshape(features.shape).to(table)
    return features.detach(), torch.autograd.grad(features, table, incoming)[0]


@pytest.mark.parametrize(("axes", "features"), [(1, 2), (2, 1), (2, 2), (3, 3)])
def test_kernels_do_what_plain_torch_does(axes, features):
    cells, positions, table = scene(axes, features)
    mine = features_and_gradient(positions, table, cells)
    plain = features_and_gradient(positions.double(), table.double(), cells)
    for value, reference in zip(mine, plain, strict=True):
        torch.testing.assert_close(value.double(), reference, atol=1e-4, rtol=1e-4)


@pytest.fixture
def on_cuda(monkeypatch):
    """Kernels for CUDA take over: on a GPU where there is one, else in Triton's interpreter."""
    pytest.importorskip("triton", reason="needs artgen[triton]")
    monkeypatch.setattr(cuda, "usable", lambda tensor: tensor.dtype == torch.float32)
    monkeypatch.setattr("artgen.nn.grids._interpolate_on_cpu", interpolate_on_cuda)
    # The interpreter warns where a NaN becomes a whole number.
    with np.errstate(all="ignore"):
        yield "cuda" if torch.cuda.is_available() else "cpu"


def interpolate_on_cuda(positions, table, levels):
    return cuda.interpolate_on_cuda(positions, table, levels.table, levels.largest)


@pytest.mark.parametrize(("axes", "features"), [(1, 2), (2, 2), (3, 3)])
def test_kernels_for_cuda_do_what_plain_torch_does(axes, features, on_cuda):
    cells, positions, table = scene(axes, features, count=100)
    positions, table = positions.to(on_cuda), table.to(on_cuda)
    mine = features_and_gradient(positions, table, cells)
    plain = features_and_gradient(positions.double(), table.double(), cells)
    for value, reference in zip(mine, plain, strict=True):
        torch.testing.assert_close(value.double(), reference, atol=1e-4, rtol=1e-4)
    # Sums of whole numbers do not depend on their order.
    turned = table.clone().requires_grad_()
    features = nn.interpolate_grids(positions.flip(0), turned, cells, LARGEST)
    incoming = torch.linspace(-1, 1, features.numel(), device=on_cuda).reshape(features.shape)
    (gradient,) = torch.autograd.grad(features, turned, incoming.flip(0))
    assert torch.equal(gradient, mine[1])


def test_gradients_for_cuda_that_are_not_finite_stay_so(on_cuda):
    cells, positions, table = scene(2, 2, count=3)
    table = table.to(on_cuda).requires_grad_()
    features = nn.interpolate_grids(positions.to(on_cuda), table, cells, LARGEST)
    for number in (torch.nan, torch.inf):
        (gradient,) = torch.autograd.grad(
            features, table, torch.full_like(features, number), retain_graph=True
        )
        assert not gradient.isfinite().any()
    (gradient,) = torch.autograd.grad(features, table, torch.zeros_like(features))
    assert not gradient.any()


@pytest.mark.parametrize(("inputs", "width", "layers"), [(24, 32, 2), (5, 17, 1)])
def test_a_network_on_cuda_is_that_of_plain_torch(inputs, width, layers, on_cuda, monkeypatch):
    rng, field = torch.Generator().manual_seed(1), HashGrid()
    sizes = [inputs, *[width] * layers, 3]
    weights = [0.3 * torch.randn(n, k, generator=rng) for k, n in pairwise(sizes)]
    biases = [0.1 * torch.randn(n, generator=rng) for n in sizes[1:]]
    value, incoming = (torch.randn(70, n, generator=rng).to(on_cuda) for n in (inputs, 3))
    leaves = [tensor.to(on_cuda).requires_grad_() for tensor in (value, *weights, *biases)]
    results = []
    for fused in (True, False):
        monkeypatch.setattr(cuda, "usable", lambda _, fused=fused: fused)
        field.linear = Mock(side_effect=linear)
        middle = len(weights) + 1
        out = nn.relu_layers(field, leaves[0], leaves[1:middle], leaves[middle:])
        assert field.linear.call_count == (0 if fused else len(weights))
        results.append([out.detach(), *torch.autograd.grad(out, leaves, incoming)])
    for mine, plain in zip(*results, strict=True):
        torch.testing.assert_close(mine, plain, atol=1e-4, rtol=1e-4)


def test_the_kernels_are_tried_before_use(on_cuda, monkeypatch):
    with torch.no_grad():  # as a drawing asks, which is the first to do so in `render`
        assert cuda._agree(torch.device(on_cuda))
    monkeypatch.setattr(cuda, "layers_on_cuda", lambda *a: 1.1 * cuda.layers_plainly(*a))
    assert not cuda._agree(torch.device(on_cuda))


@pytest.mark.parametrize(
    ("there", "agree", "reason"),
    [
        (None, None, r"pip install 'artgen\[triton\]'"),
        ("triton", Mock(return_value=False), "do not agree"),
        ("triton", Mock(side_effect=OSError("no ptxas\nat all")), "OSError: no ptxas$"),
    ],
)
def test_a_gpu_without_kernels_runs_plain_torch_and_says_so_once(there, agree, reason, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: there)
    monkeypatch.setattr(cuda, "_agree", agree)
    tensor = SimpleNamespace(device=torch.device("cuda"))
    cuda._work.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match=reason):
            assert not cuda.usable(tensor)
        assert not cuda.usable(tensor)
    finally:
        cuda._work.cache_clear()


def test_between_vertices_features_are_linear():
    # A table that holds the place of every vertex gives back the position, wherever it is.
    cells = [[4, 2], [7, 3]]
    vertices = [
        [column / width, row / height]
        for width, height in cells
        for row in range(height + 1)
        for column in range(width + 1)
    ]
    table = torch.tensor(vertices)
    assert nn.grid_rows(cells, LARGEST) == [5 * 3, 8 * 4]
    positions = torch.tensor([[0.0, 0.0], [0.3, 0.9], [1.0, 1.0], [1.1, -0.1]])
    features = nn.interpolate_grids(positions, table, cells, LARGEST)
    torch.testing.assert_close(features, positions.repeat(1, 2), atol=1e-6, rtol=0)


def test_a_level_has_no_more_rows_than_allowed():
    assert nn.grid_rows([[3, 3], [7, 7], [8, 7], [500, 500]], LARGEST) == [16, 64, 64, 64]
    # Every one of its rows is used: otherwise the hash would be a poor one.
    table = torch.ones(LARGEST, 1)
    positions = torch.rand(5000, 2, generator=torch.Generator().manual_seed(0))
    _, gradient = features_and_gradient(positions, table, [[500, 500]])
    assert (gradient != 0).all()


def test_any_number_of_threads_gives_the_same_bits():
    cells, positions, table = scene(2, 2, count=9000)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            results.append(features_and_gradient(positions, table, cells))
    finally:
        torch.set_num_threads(before)
    for one, other in zip(*results, strict=True):
        assert torch.equal(one, other)


def test_positions_may_be_learned_too():
    cells, positions, table = scene(2, 2)
    positions = (positions.clamp(0.01, 0.98).double()).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda xy: nn.interpolate_grids(xy, table.double(), cells, LARGEST), positions[:5]
    )
    single = positions.detach().float().requires_grad_()
    nn.interpolate_grids(single, table, cells, LARGEST).sum().backward()
    assert single.grad.abs().sum() > 0


def test_shapes_have_to_agree():
    cells, positions, table = scene(2, 2)
    with pytest.raises(ValueError, match="3 axes"):
        nn.interpolate_grids(torch.zeros(4, 3), table, cells, LARGEST)
    with pytest.raises(ValueError, match="rows"):
        nn.interpolate_grids(positions, table[1:], cells, LARGEST)
    with pytest.raises(ValueError, match="rows"):
        nn.interpolate_grids(positions, table, cells, 63)
