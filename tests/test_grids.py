"""Grids of learned features: kernels against plain torch, and both against what is known."""

from __future__ import annotations

import pytest
import torch

from artgen import nn

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
    incoming = torch.linspace(-1, 1, features.numel(), dtype=table.dtype).reshape(features.shape)
    return features.detach(), torch.autograd.grad(features, table, incoming)[0]


@pytest.mark.parametrize(("axes", "features"), [(1, 2), (2, 1), (2, 2), (3, 3)])
def test_kernels_do_what_plain_torch_does(axes, features):
    cells, positions, table = scene(axes, features)
    mine = features_and_gradient(positions, table, cells)
    plain = features_and_gradient(positions.double(), table.double(), cells)
    for value, reference in zip(mine, plain, strict=True):
        torch.testing.assert_close(value.double(), reference, atol=1e-4, rtol=1e-4)


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
