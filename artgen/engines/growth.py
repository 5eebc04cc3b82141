"""Growth: when a fit adds parts, which ones it moves, and where they begin.

Parts are put where the blurred squared error is high, as in Image-GS (SIGGRAPH 2025) and
GaussianImage++ (AAAI 2026). When and how many depends on the recipe alone; where depends on the
picture so far and on a generator seeded per round, so that a resumed fit grows the same parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.primitives import Context, Primitive, Splat

__all__ = ["Growth", "can_grow", "contributions", "error_density", "new_parts", "pick_places"]

BLUR = 0.5
"""How far an error counts, as a standard deviation in mean spacings of the parts."""

Paint = Callable[[Mapping[str, Tensor]], Tensor]
"""From mapped tensors to a picture [3, height, width]."""


def can_grow(primitive: Primitive) -> bool:
    """Whether a new part can supply what the picture lacks, and leave the others as they are.

    So it is where colours add up and parts end. Under blends that divide by the weights a part
    would have to displace others; there, starting with all of them was measured to fit better.
    """
    return isinstance(primitive, Splat) and primitive.blend == "sum" and primitive.far == 0


@dataclass(frozen=True)
class Growth:
    """The plan: from `first` to `last` parts, by a share `add` of them in each round.

    Rounds are `every` apart and end at `until`, in shares of `total_steps`; the last one brings
    what is missing. A plan with another `last` has the same rounds until it gets there.
    """

    first: int
    last: int
    add: float
    every: float
    until: float
    total_steps: int

    @property
    def rounds(self) -> dict[int, int]:
        """The count that each round ends with, by step."""
        # Without the small term, 0.6 / 0.05 would be eleven rounds.
        number = max(1, int(self.until / self.every + 1e-9))
        counts, count = {}, self.first
        for i in range(1, number + 1):
            count = self.last if i == number else count + max(1, int(self.add * count))
            count = min(count, max(self.first, self.last))
            counts[round(i * self.every * self.total_steps)] = count
        return counts


def contributions(paint: Paint, tensors: Mapping[str, Tensor], weight: Tensor | None) -> Tensor:
    """How much of the picture each part makes: its summed colour's magnitude, [N].

    That is the part's colour times the derivative of the summed picture by it, which counts only
    what lies on the canvas, is not hidden, and (with a `weight` [height, width]) matters.
    """
    colour = tensors["colour"].detach().clone().requires_grad_()
    with torch.enable_grad():
        picture = paint({**tensors, "colour": colour})
        total = picture.sum() if weight is None else (picture * weight).sum()
    (coverage,) = torch.autograd.grad(total, colour)
    magnitude: Tensor = (coverage * colour.detach()).norm(dim=0)
    return magnitude


def new_parts(
    primitive: Splat,
    count: int,
    *,
    seed: int,
    image: Tensor,
    target: Tensor,
    weight: Tensor | None,
    others: Tensor,
    start: Drawing,
) -> dict[str, Tensor]:
    """Mapped values of `count` parts that begin among `others` [2, N], where `image` is wrong.

    They begin as all parts do, with sizes from the distance to their neighbours, but their target
    is what the picture lacks.
    """
    canvas = start.canvas
    rng = torch.Generator().manual_seed(seed)
    spacing = math.sqrt(canvas.area / (count + others.shape[1])) / canvas.pixel
    density = error_density(image, target, weight, BLUR * spacing)
    background = target.new_tensor(start.background)[:, None, None]
    return primitive.initial(
        _Newcomers(
            rng,
            canvas,
            xy=pick_places(density.cpu(), count, canvas, rng),
            others=others.cpu(),
            target=(target - image + background).cpu(),
            background=start.background,
        )
    )


def error_density(image: Tensor, target: Tensor, weight: Tensor | None, blur: float) -> Tensor:
    """A probability per pixel [height, width]: the squared error under a Gaussian of `blur` pixels.

    Uniform where there is no error.
    """
    error = (image - target).square().sum(0)
    if weight is not None:
        error = error * weight
    radius = math.ceil(2.5 * blur)
    offset = torch.arange(-radius, radius + 1, dtype=error.dtype, device=error.device)
    window = torch.exp(-0.5 * (offset / blur) ** 2)
    window = window / window.sum()
    convolve = torch.nn.functional.conv2d
    rows = convolve(error[None, None], window[None, None, :, None], padding=(radius, 0))
    both = convolve(rows, window[None, None, None, :], padding=(0, radius))[0, 0]
    # The small term makes the density of a perfect picture uniform.
    density = both + 1e-12
    # torch.multinomial takes at most 2^24 categories; a coarser grid serves as well.
    while density.numel() > 2**24:
        density = torch.nn.functional.avg_pool2d(density[None, None], 2, ceil_mode=True)[0, 0]
    return density / density.sum()


def pick_places(density: Tensor, count: int, canvas: Canvas, rng: torch.Generator) -> Tensor:
    """Positions [2, count] anywhere inside pixels drawn from `density`, each pixel at most once.

    A pixel is drawn again only where there are not enough of them.
    """
    enough = int((density > 0).sum()) >= count
    pick = torch.multinomial(density.flatten(), count, replacement=not enough, generator=rng)
    height, width = density.shape
    corner = torch.stack([pick % width, pick // width]) + torch.rand(2, count, generator=rng)
    size = torch.tensor([[float(width)], [float(height)]])
    return torch.tensor(canvas.reach)[:, None] * (2 * corner / size - 1)


class _Newcomers(Context):
    """What the initial values of parts at `xy` may depend on, where there are `others` already."""

    def __init__(
        self,
        rng: torch.Generator,
        canvas: Canvas,
        *,
        xy: Tensor,
        others: Tensor,
        target: Tensor,
        background: tuple[float, float, float],
    ) -> None:
        super().__init__(rng, canvas, xy.shape[1], target, background=background, values={"xy": xy})
        everyone = torch.cat([xy, others], dim=1)
        self._all = Context(rng, canvas, everyone.shape[1], values={"xy": everyone})

    @property
    def mean_spacing(self) -> float:
        """Of all parts."""
        return self._all.mean_spacing

    @property
    def spacing(self) -> Tensor:
        """Of the new parts among all."""
        return self._all.spacing[: self.count]
