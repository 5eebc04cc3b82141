"""Checks of partitions: that the static functions say one thing, wherever they are asked."""

from __future__ import annotations

import numpy as np
import torch

from artgen.canvas import Canvas
from artgen.primitives import Partition
from artgen.raster import draw_partition
from artgen.testing._judging import Failed
from artgen.testing._subject import Subject

__all__ = ["cells"]

CANVAS = Canvas(41, 33)
SITES = 12


def cells(subject: Subject) -> str:
    """Every site that `random` makes up and `mutate` changes can win part of a picture.

    Look at `line`: its cost should be least near the site, and finite for sites off the canvas.
    """
    partition = subject.cls()
    assert isinstance(partition, Partition)
    rng = np.random.default_rng(0)
    half_width, half_height = CANVAS.reach
    sites = np.zeros((SITES, partition.genes))
    for genes in sites:
        x, y = half_width * (2 * rng.random() - 1), half_height * (2 * rng.random() - 1)
        partition.random(genes, rng, x, y, 0.5)
    moved = sites.copy()
    for genes in moved:
        partition.mutate(genes, rng, 0.1)
    if np.array_equal(moved, sites):
        raise Failed(f"{subject.cls.__name__}.mutate changes nothing")
    winners = []
    for name, some in (("random", sites), ("mutate", moved)):
        if not np.isfinite(some).all():
            raise Failed(f"{subject.cls.__name__}.{name} makes genes that are NaN or infinite")
        # Of two colours, so that each cell shows alone.
        alone = [
            draw_partition(
                partition,
                {
                    "sites": torch.from_numpy(some.T.copy()),
                    "colour": torch.eye(SITES)[i].expand(3, -1),
                },
                CANVAS,
                (0.0, 0.0, 0.0),
            )[0]
            for i in range(SITES)
        ]
        total = torch.stack(alone).sum(0)
        if not torch.allclose(total, torch.ones_like(total), atol=1e-4):
            raise Failed(f"the cells of {subject.cls.__name__} do not fill the canvas")
        winners.append(sum(bool(cell.max() > 0) for cell in alone))
    if min(winners) < SITES // 2:
        raise Failed(f"of {SITES} sites of {subject.cls.__name__} only {min(winners)} win anything")
    return f"of {SITES} sites {min(winners)} or more win a cell"
