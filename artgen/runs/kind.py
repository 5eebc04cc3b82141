"""Kinds of run: what each answers for itself, and how that of a run is found.

A recipe names its kind by a table (`tiles`, `kind`); otherwise the target says it: a picture, a
clip, samples, a set of pictures. `run` asks no questions about kinds. It finds the one that there
is and calls its members in order. A plugin offers more of them by the hook `artgen_runs`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from artgen.art import Art, rounded
from artgen.base.errors import UsageError
from artgen.base.options import parse_options
from artgen.base.waiting import report
from artgen.display.views import Rendering
from artgen.engines import Engine
from artgen.film.scenes import Film
from artgen.output import FrameStore, Pixels
from artgen.primitives import NoOptions, pack, shrink
from artgen.recipe import Precision, Recipe
from artgen.registry import Registry
from artgen.runs.context import RunContext
from artgen.runs.elsewhere import Elsewhere
from artgen.runs.files.folder import RunFolder
from artgen.runs.job import Fitted, Job
from artgen.runs.opening import Inputs, open_inputs
from artgen.targets import Target
from artgen.values.drawing import Drawing

Started: TypeAlias = Callable[[Engine], None] | None
"""What is called with the engine of every stage before its first step, if anything."""

Frames = Iterator[Pixels]
"""Pictures [height, width, 3], one after the other."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What a run is asked for: the arguments of `run` that kinds of run need, under its names.

    `threads` is how many there are.
    """

    recipe: Recipe
    registry: Registry
    context: RunContext = field(default_factory=RunContext)
    target: Target | None = None
    search: Sequence[Path] = (Path(),)
    threads: int = 1
    checkpoint_every: int | None = None
    graph: Path | None = None
    video: Path | None = None
    elsewhere: Elsewhere | None = None

    @cached_property
    def inputs(self) -> Inputs:
        """The target and all else that the recipe names, opened once."""
        return open_inputs(self.recipe, self.registry, self.target, self.search)


class Reason(NamedTuple):
    """Why a kind of run does not take a recipe, if it `applies`: a message and a hint."""

    message: str
    applies: bool
    hint: str


@dataclass(frozen=True)
class Estimate:
    """The cost of a run of the complete `recipe`; a clip and a fit in tiles have a recipe alone.

    `seconds` are those of fitting, as in the summary of a run: without compiling and writing
    files. Stages that may stop early are taken to need all their steps. `memory` is the largest
    main memory of the process in bytes, None where the system does not say; `art_bytes` is the
    size of the `.art` file, `still_bytes` that of the PNG, None where the rehearsal diverged.
    `video_bytes` is that of the video of the rehearsal, None too where it cannot be written.
    `focus` shows the circles of the focus on the picture, in lines of characters; None without any.
    """

    recipe: Recipe
    seconds: float | None = None
    memory: int | None = None
    art_bytes: int | None = None
    still_bytes: int | None = None
    video_bytes: int | None = None
    focus: str | None = None


class RunKind(ABC):
    """A kind of run; an object of it is one run.

    Its members are called in the order in which they stand here: `prepare` a job, or raise what
    keeps the run from it; `begin`, and `resume` what an earlier process left; `fit`; then the
    answers on what was fitted. `estimate` takes the place of `begin` and `fit` in a dry run.
    """

    Options: ClassVar[type[Any]] = NoOptions
    """A dataclass of the options that the table `kind` of a recipe may have."""

    tables: ClassVar[frozenset[str]] = frozenset()
    """The tables of a recipe that are for this kind alone."""

    divisible: ClassVar[bool] = False
    """Whether a run consists of tasks, which `Asked.elsewhere` may carry out."""

    total_steps: int = 0
    """The steps of a whole run, as far as known."""
    resumed_at: int = 0
    """The step that a resumed run goes on from."""

    def __init__(self, asked: Asked) -> None:
        self.asked, self.context, self.held = asked, asked.context, ExitStack()
        table = asked.recipe.kind
        given = {} if table is None else table.options
        self.options = parse_options(self.Options, given, f"kind of run {asked.recipe.run_kind}")

    def reasons_against(self, recipe: Recipe, source: str) -> Iterator[Reason]:
        """Why this kind does not take the recipe, whose target is called `source`, if it does not.

        Reasons that do not apply are among them.
        """
        if recipe.clip is not None and "clip" not in self.tables:
            message = f"{source} is not a clip, so options for clips do not apply"
            yield Reason(message, True, "leave out --side-by-side and --set clip.KEY")

    def check(self, recipe: Recipe, source: str) -> None:
        """Raise UsageError with the first reason that applies."""
        for reason in self.reasons_against(recipe, source):
            if reason.applies:
                raise UsageError(reason.message, hint=reason.hint)

    @abstractmethod
    def prepare(self) -> Job:
        """Read the inputs and complete the recipe. Raises InputError, PluginError, UsageError."""

    def with_options(self, recipe: Recipe) -> Recipe:
        """The recipe with all options of the kind."""
        if recipe.kind is None:
            return recipe
        return recipe.with_kind(recipe.kind.replace(options=asdict(self.options)))

    def estimate(self, job: Job, compiled: Sequence[str]) -> Estimate:
        """What the run would take; `compiled` grows with all that is compiled meanwhile."""
        return Estimate(job.recipe)

    @abstractmethod
    def begin(self, job: Job, folder: RunFolder | None = None, started: Started = None) -> None:
        """Get ready to `fit` the job; what resuming needs is kept in `folder`."""

    @abstractmethod
    def resume(self) -> None:
        """Go on from what there is in the folder; from the start where there is nothing."""

    @abstractmethod
    def fit(self) -> Fitted:
        """Fit it; called once. Raises OutOfMemory, Interrupted and what engines refuse."""

    def still(self, fitted: Fitted, pixels: Pixels) -> Pixels:
        """The picture that the still shows, given that of the drawing: uint8 [height, width, 3]."""
        return pixels

    @abstractmethod
    def metrics(self, fitted: Fitted, picture: Rendering, film: Film | None) -> Mapping[str, Any]:
        """The metrics of what is saved: all of `METRICS`, the loss, and what the kind adds.

        Two equal runs agree on them to the last bit.
        """

    def extent(self, drawing: Drawing, film: Film | None, precision: Precision) -> tuple[int, int]:
        """The bytes of the parameters that are saved, and the pixels that they describe, if any."""
        art = Art(drawing, self.asked.recipe, {}, precision, self.asked.registry)
        return art.parameter_bytes, drawing.width * drawing.height

    def rounded(self, fitted: Fitted) -> Drawing:
        """The drawing as precision and bytes have it: see `artgen.art.rounded` and `shrink`."""
        job, primitive, table = fitted.job, fitted.job.plan.primitive, fitted.recipe.run
        most, drawing = table.parameter_bytes, fitted.drawing
        if pack(primitive, drawing.tensors) is not None:
            tensors = shrink(primitive, drawing.tensors, most) if most else drawing.tensors
            return replace(drawing, tensors=tensors)
        if table.precision != "auto":
            return drawing

        def see(drawing: Drawing) -> tuple[NDArray[np.float32], float | None]:
            picture = job.draw(drawing)
            return picture.outputs.numpy(), job.error(picture)

        report("rounding the parameters")
        return rounded(primitive, drawing, see, reorder=fitted.film is None, most=most)

    def precision_cost(self, fitted: Fitted, metrics: Mapping[str, Any]) -> float | None:
        """The loss by rounding to the precision of the file, in dB of PSNR.

        None where nothing is rounded and where there is no PSNR.
        """
        if fitted.recipe.run.precision == "fp32":
            return None
        job = fitted.job
        exact = job.metrics(job.draw(job.shown(fitted.drawing)))["psnr"]
        return None if exact is None else round(exact - metrics["psnr"], 4)

    @abstractmethod
    def video(self, fitted: Fitted, art: Art, stored: FrameStore) -> tuple[Frames, float]:
        """The frames of the video, and their rate; `stored` are those of the fit."""

    def companions(self, fitted: Fitted, film: Film | None) -> Mapping[str, tuple[Frames, float]]:
        """More videos, by the names that `output_paths` has for them."""
        return {}

    @property
    def sound(self) -> Path | None:
        """The file whose sound the video has."""
        return None

    def close(self) -> None:
        """End what the run holds: workers, temporary folders."""
        self.held.close()

    def place(self, folder: Path | None) -> Path:
        """The folder, or a temporary one that is there until `close`."""
        return folder or Path(self.held.enter_context(TemporaryDirectory()))


def find_kind(asked: Asked) -> RunKind:
    """Make the run that is asked for, of the kind that its recipe names, or else its target.

    Raises InputError, PluginError, UsageError.
    """
    name = asked.recipe.run_kind or asked.inputs.target.run_kind
    entry = asked.registry.find("run", name)
    if asked.recipe.kind is not None and entry.plugin.origin == "built-in":
        hint = "leave out the table kind; --tiles asks for tiles"
        raise UsageError(f"kind {name} follows from the target, and is not asked for", hint=hint)
    kind: type[RunKind] = entry.load()
    return kind(asked)
