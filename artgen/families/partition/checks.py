"""Checks of partitions: sites are finite and win cells that fill the canvas."""

from __future__ import annotations

import numpy as np
import torch

from artgen.families.partition.contract import Partition
from artgen.families.partition.paint import draw_partition
from artgen.testing.candidate import Candidate
from artgen.testing.families import CHECKS, FIRST, THEN
from artgen.testing.run_checks import Failed, basic
from artgen.values.canvas import Canvas

CANVAS = Canvas(41, 33)
SITES = 12


@basic
def cells(candidate: Candidate) -> str:
    """Sites made by `random` or changed by `mutate` win cells, which fill the canvas.

    Look at `line`: its cost should be lowest near the site, and finite for sites off the canvas.
    """
    partition = candidate.cls()
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
        raise Failed(f"{candidate.cls.__name__}.mutate changes nothing")
    winners = []
    for name, some in (("random", sites), ("mutate", moved)):
        if not np.isfinite(some).all():
            raise Failed(f"{candidate.cls.__name__}.{name} makes genes that are NaN or infinite")
        # White on black, one cell at a time.
        places = torch.from_numpy(some.T.copy())
        alone = [
            draw_partition(partition, {"sites": places, "colour": white.expand(3, -1)}, CANVAS)[0]
            for white in torch.eye(SITES)
        ]
        total = torch.stack(alone).sum(0)
        if not torch.allclose(total, torch.ones_like(total), atol=1e-4):
            raise Failed(f"the cells of {candidate.cls.__name__} do not fill the canvas")
        winners.append(sum(bool(cell.max() > 0) for cell in alone))
    if min(winners) < SITES // 2:
        raise Failed(f"only {min(winners)} of {SITES} sites of {candidate.cls.__name__} win a cell")
    return f"at least {min(winners)} of {SITES} sites win a cell"


CHECKS[Partition] = (*FIRST, *THEN, cells)
