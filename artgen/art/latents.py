"""What a family with latents answers: the space between the pictures of a set, and plots of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from torch import Tensor

from artgen.base.errors import UsageError
from artgen.base.generic import generic
from artgen.output.still import Pixels
from artgen.primitives import Primitive
from artgen.targets import SetTarget
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing

if TYPE_CHECKING:
    from artgen.art._art import Art


class Place(NamedTuple):
    """A latent, float32 [D], and the number of a class, or -1 for none."""

    latent: Tensor
    label: int


class LatentSpace(Protocol):
    """The latents of the pictures of a drawing, and what is between them."""

    def place(self, text: str) -> Place:
        """Parse the text of a place. Raises UsageError."""

    def walk(self, text: str, frames: int) -> tuple[Tensor, Tensor]:
        """Return latents [frames, D] and classes [frames] of a walk. Raises UsageError."""

    def draw(self, latents: Tensor, labels: Tensor) -> Pixels:
        """Decode latents [N, D] and classes [N] to pictures, uint8 [N, h, w, 1 or 3].

        Raises InputError if a latent is so far out that its picture is not finite.
        """


@generic("latents")
def open_latents(primitive: Primitive, drawing: Drawing) -> LatentSpace:
    """Return the latent space of a drawing. Raises UsageError for families that have none."""
    raise no_latents(drawing)


def no_latents(drawing: Drawing) -> UsageError:
    """Return the error that says why there are no latents."""
    return UsageError(
        f"{drawing.primitive} has no latents: it is not a codec",
        hint="fit a codec: artgen fit sample:digits -p autoencoder",
    )


@generic("plots")
def plot_latents(
    primitive: Primitive,
    kind: str,
    arts: Mapping[str, Art],
    target: SetTarget | None,
    canvas: Canvas,
    paper: tuple[float, float, float],
) -> Pixels:
    """Draw a plot of what `arts`, by their titles, have learned: uint8 [height, width, 3].

    `primitive` is that of the first of them. `canvas` and `paper` are for charts; sheets of
    pictures have their own size. Raises UsageError where an art has no latents, or for several arts
    if the plot shows one.
    """
    open_latents(primitive, next(iter(arts.values())).drawing)
    raise UsageError(f"{type(primitive).__name__} has no plots")
