"""What moving the vertices of a triangulation gains over placing them by the density of edges.

Tools that make low-poly pictures put more vertices where the picture changes, triangulate them and
stop. Here they get the densities |gradient|^p for several p after several blurs, and places drawn
at random or then spread by Lloyd's algorithm (weighted Voronoi stippling, Secord 2002). Of either
the best density counts, in brackets. Colours are chosen alike, so only the places differ. PSNR is
that of the exported still; fits have the default settings and seed 0. Their CPU seconds are those
of all threads, compiling included.

The default settings were chosen with kodim05 among other pictures, so it is no independent test.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

import artgen
from artgen import Canvas
from artgen.families.mesh.contract import Mesh
from artgen.families.mesh.objective import solve_colours
from artgen.families.mesh.paint import draw_mesh, triangulate
from artgen.init import Context
from artgen.losses.metrics import psnr
from artgen.output import to_pixels
from artgen.primitives import Primitive
from artgen.raster import paint
from artgen.registry import default
from benchmarks._measure import interleaved, one_thread
from benchmarks._report import Table, figure, ratio
from benchmarks._settings import Settings
from benchmarks.shapes import open_target, pictures

EXPONENTS, BLURS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0), (1.0, 2.0, 4.0)
"""Powers of the gradient's magnitude, and the Gaussian blurs before it, in pixels."""

LLOYD = 15
"""Iterations of Lloyd's algorithm."""


def run(settings: Settings) -> Iterator[Table]:
    side, count = (64, 30) if settings.quick else (512, 500)
    every = pictures(settings.data)
    for shading, some in (("flat", every), ("smooth", every[:1])):
        rows = [compare(picture, shading, side, count, settings.quick) for picture in some]
        columns = ("", "drawn, dB", "spread, dB", "mesh, dB", "gains, dB", "CPU s of fit")
        yield Table(f"{count} vertices, {shading}, long side {side}", columns, rows)
    yield costs(side, count, rounds=1 if settings.quick else 7)


def compare(
    picture: str, shading: str, side: int, count: int, quick: bool
) -> tuple[str, str, str, str, str, str]:
    """The best baselines of a picture, and the fit."""
    target = open_target(picture, side)
    found = list(baselines(target, count, shading, quick=quick))
    drawn, spread = (max(each[:2] for each in found if each[2] == way) for way in (False, True))
    start = time.process_time()
    fitted = artgen.fit(
        picture if Path(picture).suffix else f"sample:{picture}",
        "mesh",
        count=count,
        seed=0,
        size=side,
        shading=shading,
    )
    seconds = time.process_time() - start
    own = _psnr(torch.from_numpy(fitted.render()).permute(2, 0, 1) / 255, target)
    return (
        Path(picture).name,
        f"{drawn[0]:.2f} ({drawn[1]})",
        f"{spread[0]:.2f} ({spread[1]})",
        f"{own:.2f}",
        f"{own - drawn[0]:+.2f}, {own - spread[0]:+.2f}",
        f"{seconds:.1f}",
    )


def costs(side: int, count: int, rounds: int) -> Table:
    """The triangles of one mesh, drawn as such and as a stack of shapes."""
    canvas, rows = Canvas(side, side), []
    incoming = torch.randn(3, side, side, generator=torch.Generator().manual_seed(1))
    shape = default().load("primitive", "triangle")()
    for shading in ("flat", "smooth"):
        mesh = default().load("primitive", "mesh")({"shading": shading})
        target = open_target("astronaut", side)
        context = Context(torch.Generator().manual_seed(0), canvas, count, target=target)
        tensors = mesh.initial(context)
        found = triangulate(mesh, tensors["xy"], canvas)
        number = len(found.triangles)
        corners = tensors["xy"].T[found.triangles].reshape(-1, 6).T.contiguous()
        stack = {"genes": corners, "colour": torch.rand(3, number), "alpha": torch.ones(number)}

        def step(kind: Primitive, values: dict[str, torch.Tensor]) -> None:
            leaves = {name: value.clone().requires_grad_() for name, value in values.items()}
            paint(kind, leaves, canvas).backward(incoming)

        actions = {
            f"mesh, {shading}": lambda mesh=mesh, t=tensors: step(mesh, t),
            "triangle": lambda t=stack: step(shape, t),
        }
        with one_thread():
            for action in actions.values():
                action()  # compiles
            seconds = interleaved(actions, rounds=rounds, seconds=2)
        reference = seconds["triangle"]
        rows += [
            (name, f"{number}", figure(1e6 * each / number), ratio(each, reference))
            for name, each in seconds.items()
        ]
    columns = ("", "parts", "µs per part", "of triangle")
    note = "Forward and backward, the search for triangles included; one thread."
    return Table(f"Cost of a picture with gradients, {side} pixels wide", columns, rows, note)


def baselines(
    target: torch.Tensor, count: int, shading: str, *, quick: bool
) -> Iterator[tuple[float, str, bool]]:
    """PSNR, settings, and whether they are spread, of vertices placed by the density of edges."""
    mesh = default().load("primitive", "mesh")({"shading": shading})
    assert isinstance(mesh, Mesh)
    canvas = Canvas(target.shape[2], target.shape[1])
    rng = np.random.default_rng(0)
    for blur in BLURS[:1] if quick else BLURS:
        smooth = gaussian_filter(target.numpy(), (0, blur, blur))
        slopes = np.gradient(smooth, axis=(1, 2))
        magnitude = np.sqrt(np.square(slopes).sum((0, 1))) + 1e-4
        for power in EXPONENTS[-1:] if quick else EXPONENTS:
            density = magnitude**power
            for spread in (False, True):
                places = place(mesh, density, count, canvas, rng, spread=spread)
                yield quality(mesh, places, target, canvas), f"p {power:g}, blur {blur:g}", spread


def place(
    mesh: Mesh,
    density: NDArray[np.float64],
    count: int,
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    spread: bool,
) -> torch.Tensor:
    """Vertices [2, count]: those on the frame as a mesh begins, the others by `density`."""
    first = mesh.initial(Context(torch.Generator().manual_seed(0), canvas, count))["xy"]
    reach = np.array(canvas.reach)
    inner = (np.abs(first.T.numpy()) < reach - 1e-6).all(1)
    chance = (density / density.sum()).ravel()
    drawn = rng.choice(chance.size, int(inner.sum()), replace=False, p=chance)
    row, column = np.divmod(drawn, canvas.width)
    points = np.stack([column, row], 1) + rng.random((len(drawn), 2))
    if spread:
        grid = np.indices(density.shape).reshape(2, -1).T[:, ::-1] + 0.5
        for _ in range(LLOYD):
            owner = cKDTree(points).query(grid)[1]
            total = np.bincount(owner, chance, len(points))
            means = [np.bincount(owner, chance * axis, len(points)) for axis in grid.T]
            some = total > 0
            points[some] = np.stack(means, 1)[some] / total[some, None]
    places = first.clone()
    places[:, torch.from_numpy(inner)] = torch.from_numpy(points * canvas.pixel - reach).T.float()
    return places


def quality(mesh: Mesh, places: torch.Tensor, target: torch.Tensor, canvas: Canvas) -> float:
    """PSNR in dB of the mesh with these vertices and the best colours."""
    found = triangulate(mesh, places, canvas)
    empty = torch.zeros(3 * mesh.colours_per_vertex, places.shape[1])
    colour = solve_colours(found, empty, target, None)
    return _psnr(draw_mesh(found, colour, canvas), target)


def _psnr(image: torch.Tensor, target: torch.Tensor) -> float:
    one, other = (to_pixels(each.permute(1, 2, 0).numpy()) for each in (image, target))
    return psnr(one, other)
