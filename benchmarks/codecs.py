"""Codecs: a step of training against a plain float32 loop of PyTorch on the same layers.

Both take batches of 100 from 8-bit pictures and end with a step of Adam, and they take turns. The
plain loop is what one writes first: layers of `torch.nn`, pictures as they lie in memory.

The table of MNIST needs its four files in the folder `mnist` of `--data`. The rank is that at which
the singular values of each picture alone would have the same error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
from torch import nn

from artgen.engines import Problem
from artgen.recipe import Recipe
from artgen.registry import default
from artgen.runs.device import threads
from artgen.runs.job import Job
from artgen.runs.kind import Asked
from artgen.runs.kinds.picture.run import PictureRun
from benchmarks._measure import interleaved
from benchmarks._report import Table, figure, ratio
from benchmarks._settings import Settings
from benchmarks.compare import compared

BATCH = 100
MNIST = (
    *("svd:count=5", "svd:count=13", "pca:count=32"),
    *("autoencoder:preset=lossy,brightness=0.5", "autoencoder:preset=lossless"),
)
"""Contestants of the table of MNIST."""
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "lossy": lambda: nn.Sequential(*_folding(), *_unfolding(), nn.Sigmoid()),
    "lossless": lambda: nn.Sequential(
        nn.Flatten(), *_dense(), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28))
    ),
}


def run(settings: Settings) -> Iterator[Table]:
    pictures, rounds = (200, 1) if settings.quick else (3000, 15)
    rows = []
    for preset, network in NETWORKS.items():
        for number in (1, 2):
            with threads(number):
                job = _job(preset, pictures, number)
                assert job.data.training is not None
                steps = {"plain": _plain(network(), job.data.training.images), "artgen": _step(job)}
                taken = interleaved(steps, rounds=rounds, seconds=20)
            rows.append(
                (
                    f"{preset}, {number} thread{'s' * (number > 1)}",
                    *(figure(taken[name].times(1000)) for name in ("plain", "artgen")),
                    ratio(taken["plain"], taken["artgen"]),
                    job.arithmetic,
                )
            )
    columns = ("", "plain loop, ms", "artgen, ms", "faster", "artgen computes in")
    yield Table(f"A step on {BATCH} pictures of 28x28", columns, rows)
    if settings.data and (settings.data / "mnist").is_dir():
        yield mnist(str(settings.data / "mnist"), MNIST)


def mnist(target: str, contestants: Sequence[str]) -> Table:
    """What each codec stores of a picture, and its error on test pictures."""
    keys = {"floats": "floats each", "parameters": "parameters", "mse": "test MSE"}
    keys |= {"rank": "as SVD rank", "seconds": "s"}
    rows = []
    for row in compared([target], contestants, "--seed", "0", "--threads", "1"):
        values = {key: float(row[key]) if row[key] else None for key in keys}
        whole = (f"{values[key] or 0:,.0f}" for key in ("floats", "parameters"))
        rank = f"{values['rank'] or 0:.0f}"
        mse, seconds = figure(values["mse"]), figure(values["seconds"])
        rows.append((row["contestant"], *whole, mse, rank, seconds))
    return Table("MNIST", ("", *keys.values()), rows)


def _job(preset: str, pictures: int, number: int) -> Job:
    recipe = Recipe.from_dict(
        {
            "seed": 0,
            "target": {"source": f"sample:digits?n={pictures}"},
            "primitive": {"name": "autoencoder", "preset": preset},
        }
    )
    return PictureRun(Asked(recipe, default(), search=(), threads=number)).prepare()


def _step(job: Job) -> Callable[[], None]:
    """A step of the engine, as a fit takes it."""
    engine, stage = job.plan.engines[0](), job.recipe.stage[0]
    assert stage.steps is not None
    engine.start(
        Problem(
            primitive=job.plan.primitive,
            drawing=job.start,
            target=job.data.goal,
            training=job.data.training,
            test=job.data.test,
            loss=job.plan.losses[0],
            total_steps=stage.steps,
            seed=0,
            arithmetic=job.arithmetic,
            options=stage.options,
        )
    )
    return lambda: engine.advance(1)


def _plain(network: nn.Module, images: torch.Tensor) -> Callable[[], None]:
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, weight_decay=1e-9)

    def step() -> None:
        batch = images[torch.randint(len(images), (BATCH,))].float() / 255
        optimizer.zero_grad()
        nn.functional.mse_loss(network(batch), batch).backward()
        optimizer.step()

    return step


def _folding() -> Iterator[nn.Module]:
    for before, after in pairwise((1, 64, 128, 64)):
        yield from (nn.Conv2d(before, after, 3), nn.PReLU(after), nn.AvgPool2d(2))
    yield from (nn.Conv2d(64, 32, 1), nn.PReLU(32))


def _unfolding() -> Iterator[nn.Module]:
    layers = tuple(zip(pairwise((32, 32, 32, 16, 16, 8, 1)), (3, 5, 7, 10, 5, 3), strict=True))
    for number, ((before, after), size) in enumerate(layers):
        yield nn.ConvTranspose2d(before, after, size)
        if number + 1 < len(layers):
            yield nn.PReLU(after)


def _dense() -> Iterator[nn.Module]:
    for _ in range(4):
        yield from (nn.Linear(784, 784), nn.PReLU(784))
