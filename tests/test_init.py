"""Initial values: what they depend on."""

from __future__ import annotations

import pytest
import torch
from scipy.spatial import cKDTree

from artgen import Canvas
from artgen.init import Context


@pytest.mark.parametrize("count", [8, 20, 1000, 1024, 1025])
def test_the_spacing_has_the_bits_of_a_search_in_a_tree(count):
    rng = torch.Generator().manual_seed(count)
    xy = 2 * torch.rand(2, count, generator=rng) - 1
    xy[:, :3] = xy[:, 3:6]  # Two at one place.
    context = Context(rng, Canvas(64, 64), count, values={"xy": xy})
    points = xy.t().double().numpy()
    nearest = torch.from_numpy(cKDTree(points).query(points, k=4)[0][:, 1:].mean(1)).float()
    expected = (1.4 * nearest).clamp(0.5 * context.canvas.pixel, 4 * context.mean_spacing)
    assert torch.equal(context.spacing, expected)
