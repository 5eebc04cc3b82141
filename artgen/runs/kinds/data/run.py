"""Runs whose target is data and no picture: samples of a curve, labelled points, sets."""

from __future__ import annotations

from collections.abc import Iterator

from artgen.animation.forms import find_form
from artgen.film.scenes import Film
from artgen.recipe import Precision, Recipe
from artgen.runs.kind import Reason
from artgen.runs.kinds.picture.run import PictureRun
from artgen.values.drawing import Drawing


class SamplesRun(PictureRun):
    """A run of a curve, of labelled points or of a set of pictures: a plot, a map, a sheet."""

    def reasons_against(self, recipe: Recipe, source: str) -> Iterator[Reason]:
        """What takes a picture to be shown."""
        output = recipe.output
        for size in (output.still_size, output.video_size):
            yield Reason(
                f"{source} is not a picture, so {size} cannot crop its plot",
                recipe.framed(size).aspect is not None,
                "give the long side alone",
            )
        yield from super().reasons_against(recipe, source)
        film = output.film is not None and find_form(output.film, self.asked.registry).photo
        yield Reason(
            f"{source} is not a picture that a video could show",
            film or "photo" in (output.start, output.end),
            "leave out --film, --start photo and --end photo",
        )

    def extent(self, drawing: Drawing, film: Film | None, precision: Precision) -> tuple[int, int]:
        """No pixels: a drawing can be shown at any size."""
        return super().extent(drawing, film, precision)[0], 0
