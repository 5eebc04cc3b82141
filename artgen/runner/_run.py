"""One run from a recipe to its files: read the inputs, fit, export, describe."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from artgen.art import Art, load, quantised, saved_bytes
from artgen.drawing import Drawing
from artgen.errors import ArtgenError, InputError, Interrupted, UsageError
from artgen.events import Event, Finished, Notice, Observer, Started
from artgen.metrics import psnr, ssim
from artgen.output import (
    atomic_write,
    encode_png,
    probe_encoder,
    probe_folder,
    schedule,
    to_pixels,
    write_video,
)
from artgen.primitives import Context
from artgen.raster import draw
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.resolve import Plan, resolve
from artgen.runner._device import resolve_device, threads
from artgen.runner._fit import HOLD_SECONDS, Fit, Interruption, Result
from artgen.runner._folder import RunFolder
from artgen.runner._inputs import file_hash, find_file
from artgen.runner._log import JsonLines
from artgen.runner._resume import check_agreement
from artgen.targets import (
    file_safe,
    ImageTarget,
    TargetRequest,
    open_image,
    parse_colour,
    split_source,
)

__all__ = ["Outcome", "default_stem", "output_paths", "run"]

SUFFIXES = {"still": ".png", "video": ".mp4", "art": ".art", "summary": ".json"}


@dataclass(frozen=True)
class Outcome:
    """The art, the JSON object that describes the run, and the error it ended with, if any.

    An error here comes with outputs: interrupted (130) or diverged (5), the best so far saved.
    """

    art: Art
    summary: dict[str, Any]
    error: ArtgenError | None = None


def default_stem(recipe: Recipe) -> str:
    """The name of the outputs unless another is asked for: target-primitive."""
    scheme, rest = split_source(recipe.target.source)
    target = rest if scheme else Path(rest).stem
    return f"{file_safe(target)}-{file_safe(recipe.primitive.name)}"


def output_paths(out: Path, stem: str) -> dict[str, Path]:
    """Where the outputs of the run called `stem` go, and its run folder."""
    if not stem or stem.startswith(".") or any(mark in stem for mark in "/\\:\0"):
        raise UsageError(f"{stem!r} cannot be the name of a file", hint="use a plain --name")
    paths = {kind: out / f"{stem}{suffix}" for kind, suffix in SUFFIXES.items()}
    return {**paths, "folder": out / f"{stem}.run"}


def run(
    recipe: Recipe,
    registry: Registry,
    *,
    target: ImageTarget | None = None,
    out: Path | None = None,
    name: str | None = None,
    resume: bool = False,
    given: dict[str, Any] | None = None,
    overwrite: bool = False,
    search: Sequence[Path] = (Path(),),
    observers: Sequence[Observer] = (),
    interruption: Interruption | None = None,
    checkpoint_every: int | None = None,
    log: Path | None = None,
) -> Outcome:
    """Run `recipe` and write still, video, `.art` and `.json` into `out` (nothing where None).

    `target` replaces the recipe's source by a picture in memory; `search` lists the folders in
    which the recipe's files are looked up. With `resume` the run stored in `out` goes on, and
    `given` (the part of `recipe` that was asked for) must agree with it.

    Raises ArtgenError; after an interruption or divergence that left something to save, the error
    is in the outcome instead.
    """
    interruption = interruption or Interruption()
    stem = name or default_stem(recipe)
    if out is None:
        with threads(recipe.run.threads) as number:
            job = _Job(recipe, registry, stem, target, search, observers, number)
            return job.export(job.fit(interruption).run(), None)

    paths = output_paths(out, stem)
    folder: RunFolder | None = None
    if resume:
        folder, recipe = RunFolder.open(paths["folder"])
        check_agreement(recipe, given or {})
        search = [folder.inputs]
    elif not overwrite:
        _refuse_existing(paths)
    with threads(recipe.run.threads) as number:
        job = _Job(recipe, registry, stem, target, search, observers, number)
        probe_folder(out)
        if recipe.output.video:
            probe_encoder()
        if folder is None:
            folder = job.make_folder(paths["folder"], overwrite)
        lines: JsonLines | None = None
        try:
            fit = job.fit(interruption, folder, checkpoint_every, resume)
            if log is not None:
                lines = JsonLines(
                    log, resumed_at=fit.resumed_at if resume else None, overwrite=overwrite
                )
                job.observers.append(lines)
            job.emit(Started(stem, fit.resumed_at, job.total_steps, job.recipe.to_dict()))
            outcome = job.export(fit.run(), paths, folder)
        except BaseException:
            if not folder.has_checkpoint:
                folder.remove()
            raise
        finally:
            if lines is not None:
                lines.close()
        if outcome.error is None:
            folder.remove()
        return outcome


class _Job:
    """What is known once all inputs are read and every name is resolved."""

    def __init__(
        self,
        recipe: Recipe,
        registry: Registry,
        name: str,
        target: ImageTarget | None,
        search: Sequence[Path],
        observers: Sequence[Observer],
        number_of_threads: int,
    ) -> None:
        self.registry, self.name, self.observers = registry, name, list(observers)
        self.files: list[Path] = []
        self.references: dict[str, dict[str, str]] = {}
        self.device = resolve_device(recipe.run.device)
        background = parse_colour(recipe.target.background)
        self.target = target or self._open_target(recipe, search, background)
        for warning in self.target.warnings:
            self.emit(Notice(name, f"{self.target.source}: {warning}"))
        self.plan: Plan = resolve(recipe, registry, self.target.canvas)
        self._complete(number_of_threads)
        # Fitting and judging share the 8-bit target, so that the PSNR reported on the way is the
        # one of the still.
        self.pixels = self.target.pixels
        picture = torch.from_numpy(self.pixels.astype(np.float32) / 255)
        self.picture = picture.permute(2, 0, 1).contiguous()
        self.weight = None if self.target.weight is None else torch.from_numpy(self.target.weight)
        self.start = self._initial(search, background)

    @property
    def recipe(self) -> Recipe:
        """Complete, but for `time` that has not become `steps` yet."""
        return self.plan.recipe

    @property
    def total_steps(self) -> int:
        """Of all stages whose number of steps is known."""
        return sum(stage.steps or 0 for stage in self.recipe.stage)

    def emit(self, event: Event) -> None:
        """Tell every observer and every plugin that watches."""
        for observer in self.observers:
            observer(event)
        for warning in self.registry.observe(event):
            for observer in self.observers:
                observer(Notice(self.name, warning))

    def make_folder(self, path: Path, overwrite: bool) -> RunFolder:
        """A new run folder with the recipe and copies of the inputs."""
        if overwrite:
            RunFolder(path).remove()
        folder = RunFolder.create(path)
        folder.write_recipe(self.recipe)
        for file in self.files:
            folder.keep_input(file)
        return folder

    def fit(
        self,
        interruption: Interruption,
        folder: RunFolder | None = None,
        checkpoint_every: int | None = None,
        resume: bool = False,
    ) -> Fit:
        """The loop, ready to run; from the newest checkpoint where there is one to resume."""
        fit = Fit(
            self.plan,
            target=self.picture,
            weight=self.weight,
            start_at=self.start,
            device=self.device,
            emit=self.emit,
            run_name=self.name,
            interruption=interruption,
            folder=folder,
            checkpoint_every=checkpoint_every,
            paint_frame=self._pixels_of if self.recipe.output.video else None,
        )
        if resume and folder is not None:
            checkpoint = folder.load_checkpoint()
            if checkpoint is not None:
                fit.resume(checkpoint)
            folder.frames.drop_after(fit.resumed_at if checkpoint is not None else -1)
        return fit

    def export(
        self, result: Result, paths: dict[str, Path] | None, folder: RunFolder | None = None
    ) -> Outcome:
        """Round the drawing to its precision, measure it, write the files."""
        self.plan = replace(self.plan, recipe=result.recipe)
        precision = self.recipe.run.precision
        drawing = quantised(result.drawing, precision)
        image = draw(drawing, self.plan.primitive, device=self.device)
        pixels = to_pixels(image.permute(1, 2, 0).numpy())
        metrics = self._metrics(result, drawing, image, pixels)
        art = Art(drawing, self.recipe, metrics, precision, self.registry)
        error = self._error(result)

        data = art.to_bytes()
        outputs: dict[str, str | None] = dict.fromkeys(("still", "video", "art", "checkpoint"))
        if paths is not None and folder is not None:
            output = self.recipe.output
            still = pixels
            if output.still_size is not None or output.transparent:
                still = art.render(
                    output.still_size, transparent=output.transparent, device=self.device
                )
            text = self.recipe.to_json()
            atomic_write(paths["still"], encode_png(still, text))
            if output.video:
                frames = self._frames(folder, result.steps, pixels)
                write_video(paths["video"], frames, fps=output.fps, comment=text)
            else:
                paths["video"].unlink(missing_ok=True)
            atomic_write(paths["art"], data)
            outputs |= {"still": str(paths["still"]), "art": str(paths["art"])}
            outputs["video"] = str(paths["video"]) if output.video else None
            if error is not None:
                outputs["checkpoint"] = str(folder.path)
        summary = self._summary(result, metrics, len(data), outputs)
        if paths is not None:
            text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
            atomic_write(paths["summary"], text.encode())
        self.emit(Finished(self.name, summary))
        return Outcome(art, summary, error)

    def _open_target(
        self, recipe: Recipe, search: Sequence[Path], background: tuple[float, float, float]
    ) -> ImageTarget:
        table = recipe.target
        mask = None
        if table.mask is not None:
            mask = self._file(table.mask.name, table.mask.sha256, search, "mask")
        request = TargetRequest(
            size=table.size,
            background=background,
            mask=mask,
            alpha_weight=table.alpha_weight,
            max_pixels=table.max_pixels,
        )
        scheme, rest = split_source(table.source)
        if scheme is None:
            return open_image(self._file(rest, table.sha256, search, "target"), request)
        opened: ImageTarget = self.registry.load("target", scheme)(rest, request)
        if table.sha256 not in (None, opened.sha256):
            raise InputError(
                f"{table.source} is not the picture the recipe was made with: its SHA-256 differs",
                hint="give the target on the command line to use it anyway",
            )
        return opened

    def _file(self, name: str, sha256: str | None, search: Sequence[Path], what: str) -> Path:
        path = find_file(name, sha256, search, what)
        if path.is_file():
            self.files.append(path)
            self.references[what] = {"name": path.name, "sha256": file_hash(path, what)}
        return path

    def _complete(self, number_of_threads: int) -> None:
        """Put everything that was resolved into the recipe: hashes, seed, device, threads."""
        canvas = self.target.canvas
        target = {
            "source": self.target.source,
            "sha256": self.target.sha256,
            "size": max(canvas.width, canvas.height),
        }
        run = {"device": self.device, "backend": "eager", "threads": number_of_threads}
        changes: dict[str, Any] = {"target": target, "run": run}
        if "mask" in self.references:
            target["mask"] = self.references["mask"]
        if self.recipe.seed is None:
            changes["seed"] = int(np.random.SeedSequence().generate_state(1)[0])
        self._change(changes)

    def _change(self, changes: dict[str, Any]) -> None:
        self.plan = replace(self.plan, recipe=self.recipe.updated(changes))

    def _initial(self, search: Sequence[Path], background: tuple[float, float, float]) -> Drawing:
        """The drawing to start from: another one's parts, or the primitive's own start."""
        canvas, primitive = self.target.canvas, self.plan.primitive
        count = self.recipe.primitive.count or 1
        if self.recipe.init is None:
            context = Context(
                rng=torch.Generator().manual_seed(self.recipe.seed or 0),
                canvas=canvas,
                count=count,
                target=self.picture,
                weight=self.weight,
                background=background,
            )
            tensors = primitive.initial(context)
        else:
            tensors = self._from_art(self.recipe.init.name, self.recipe.init.sha256, search)
        return Drawing(
            primitive=self.recipe.primitive.name.rpartition("/")[2],
            options=primitive.option_values(),
            tensors=tensors,
            width=canvas.width,
            height=canvas.height,
            background=background,
            plugin=self.plan.identity,
        )

    def _from_art(
        self, name: str, sha256: str | None, search: Sequence[Path]
    ) -> dict[str, torch.Tensor]:
        """The parts of another drawing, which must be of the same kind and number."""
        path = self._file(name, sha256, search, "init")
        other = load(path, registry=self.registry).drawing
        mine = {**self.recipe.primitive.model_dump(exclude={"preset", "plugin", "name", "count"})}
        name = self.recipe.primitive.name.rpartition("/")[2]
        if other.primitive != name:
            raise UsageError(
                f"{path} holds {other.primitive}, not {name}", hint=f"use -p {other.primitive}"
            )
        for key, value in mine.items():
            if key in other.options and _listed(other.options[key]) != _listed(value):
                raise UsageError(
                    f"{path} has {key} = {other.options[key]!r}, not {value!r}",
                    hint=f"add --set {key}={other.options[key]}",
                )
        self.plan.primitive.check_tensors(other)
        found = self.plan.primitive.count_of(other)
        if self.recipe.primitive.count not in (None, found):
            raise UsageError(
                f"{path} has {found} parts, not {self.recipe.primitive.count}",
                hint=f"use --count {found} or leave it out",
            )
        changes: dict[str, Any] = {"init": self.references["init"]}
        if found > 1:
            changes["primitive"] = {"count": found}
        self._change(changes)
        return dict(other.tensors)

    def _pixels_of(self, drawing: Drawing) -> NDArray[np.uint8]:
        image = draw(drawing, self.plan.primitive, device=self.device)
        return to_pixels(image.permute(1, 2, 0).numpy())

    def _frames(
        self, folder: RunFolder, last: int, pixels: NDArray[np.uint8]
    ) -> Iterator[NDArray[np.uint8]]:
        """The frames of the video; the last one is the drawing that was saved."""
        output = self.recipe.output
        steps = sorted({*(step for step in folder.frames.steps() if step < last), last})
        shown, frame = -1, pixels
        for step in schedule(
            steps, fps=output.fps, seconds=output.video_seconds, hold=HOLD_SECONDS
        ):
            if step != shown:
                shown, frame = step, pixels if step == last else folder.frames.read(step)
            yield frame

    def _metrics(
        self,
        result: Result,
        drawing: Drawing,
        image: torch.Tensor,
        pixels: NDArray[np.uint8],
    ) -> dict[str, Any]:
        """What two equal runs agree on to the last bit."""
        precision = self.recipe.run.precision
        loss = self.plan.losses[len(self.recipe.stage) - 1](image, self.picture, self.weight)
        similarity = ssim(pixels, self.pixels)
        size = saved_bytes(drawing, precision)
        return {
            "count": self.recipe.primitive.count,
            "parameters": drawing.parameters,
            "steps": result.steps,
            "stopped_by": result.stopped_by,
            "psnr": round(psnr(pixels, self.pixels), 4),
            "ssim": None if similarity is None else round(similarity, 6),
            "loss": float(loss),
            "bytes": size,
            "bpp": round(8 * size / (drawing.width * drawing.height), 6),
        }

    def _error(self, result: Result) -> ArtgenError | None:
        if result.stopped_by == "interrupted":
            return Interrupted(
                f"interrupted at step {result.steps}, the best so far is saved",
                hint="go on with --resume",
            )
        return result.diverged

    def _summary(
        self,
        result: Result,
        metrics: dict[str, Any],
        file_bytes: int,
        outputs: dict[str, str | None],
    ) -> dict[str, Any]:
        """The JSON object of a run."""
        from artgen import __version__

        canvas, table = self.target.canvas, self.recipe.run
        return {
            "artgen": __version__,
            "primitive": self.recipe.primitive.name,
            "engine": ",".join(stage.engine for stage in self.recipe.stage),
            "backend": table.backend,
            "device": table.device,
            "threads": table.threads,
            "precision": table.precision,
            "seed": self.recipe.seed,
            "target": {
                "name": self.target.source,
                "width": canvas.width,
                "height": canvas.height,
                "sha256": self.target.sha256,
            },
            "count": metrics["count"],
            "parameters": metrics["parameters"],
            "steps": result.steps,
            "seconds": round(result.seconds, 3),
            "steps_per_second": round(result.steps / max(result.seconds, 1e-9), 3),
            "stopped_by": metrics["stopped_by"],
            "psnr": metrics["psnr"],
            "ssim": metrics["ssim"],
            "loss": metrics["loss"],
            "bytes": metrics["bytes"],
            "file_bytes": file_bytes,
            "bpp": metrics["bpp"],
            "outputs": outputs,
            "recipe": self.recipe.to_dict(),
        }


def _refuse_existing(paths: dict[str, Path]) -> None:
    """Nothing is overwritten unless asked for."""
    for kind, path in paths.items():
        if path.exists() or path.is_symlink():
            if kind == "folder":
                raise UsageError(
                    f"{path} is left from an unfinished run",
                    hint="go on with --resume, or start again with --overwrite",
                )
            raise UsageError(
                f"{path} exists", hint="use --overwrite, another --name or another --out"
            )


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
