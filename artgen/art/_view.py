"""The view that shows a drawing as `Art.render` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from artgen.base.errors import UsageError
from artgen.display.views import FramedView
from artgen.raster import choose_backend, resolve_device, tensor_device
from artgen.values.frame import Frame, Size

if TYPE_CHECKING:
    from artgen.art._art import Art


def open_framed(
    art: Art, size: Size | None, *, transparent: bool, supersample: int, device: str
) -> FramedView:
    """Return the view of `Art.view`. Raises as `Art.render` does."""
    if supersample < 1:
        raise UsageError(f"supersample must be at least 1, got {supersample}", hint="use 1 to 8")
    device = resolve_device(device)
    primitive = art.primitive()
    # The fit's own backend, so that the fitting size gives the bits of the still; where it is
    # not to be had, the other one differs by rounding only.
    eager = art.recipe.run.backend == "eager"
    return FramedView(
        Frame.of(size),
        art.drawing,
        primitive,
        device=str(tensor_device(device)),
        backend=choose_backend(primitive, device, "eager" if eager else "auto"),
        supersample=supersample,
        transparent=transparent,
        colours=art.recipe.exact_colours,
    )
