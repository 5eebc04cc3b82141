"""Runs that fit a drawing to one target, in a loop of stages: a picture, and what is like one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from artgen.animation.forms import check_form, find_form
from artgen.art import Art, quantised
from artgen.art.latents import open_latents
from artgen.base.errors import Diverged, OutputError, UsageError
from artgen.base.process import is_webgpu
from artgen.base.seeds import new_seed
from artgen.display.views import Rendering
from artgen.film.scenes import Film
from artgen.matching import building_order
from artgen.output import FrameStore
from artgen.output.animation import ANIMATIONS
from artgen.plan import Plan, make_plan
from artgen.primitives import Primitive
from artgen.raster import choose_backend, tensor_device
from artgen.recipe import Recipe
from artgen.runs.arithmetic import resolve_arithmetic
from artgen.runs.files.folder import RunFolder
from artgen.runs.job import Fitted, Job
from artgen.runs.kind import Estimate, Frames, Reason, RunKind, Started
from artgen.runs.kinds.picture.prepare import (
    WEIGHTS,
    art_bytes,
    batch,
    complete,
    first_drawing,
    parameter_bytes,
    place_of_crop,
    with_pictures,
)
from artgen.runs.kinds.picture.views import (
    bound_note,
    in_poses,
    open_views,
    view_metrics,
    with_views,
)
from artgen.runs.loop.rehearsal import rehearse
from artgen.runs.loop.stages import Loop
from artgen.runs.memory import peak_memory
from artgen.runs.opening import Inputs
from artgen.runs.video import encode_still, progress_frames, write_run_video
from artgen.targets import (
    ImageTarget,
    Target,
    TargetTensors,
    ground_colour,
    hex_colour,
    parse_colour,
)
from artgen.values.frame import BACKGROUND, Frame


class PictureRun(RunKind):
    """A run of a single picture, and the way of all kinds from a recipe to a job."""

    def prepare(self) -> Job:
        """Complete the recipe, choose where it runs, and make the first drawing."""
        asked, inputs = self.asked, self.asked.inputs
        if inputs.recipe.view is not None:
            self.check(inputs.recipe, inputs.target.source)
        inputs, views = open_views(inputs, asked.registry)
        recipe, target = self._with_background(inputs)
        self.check(recipe, target.source)
        if inputs.init is not None:
            recipe = inputs.init.continued(recipe, inputs.named.primitive)
        if recipe.seed is None:
            recipe = recipe.with_seed(new_seed())
        place = place_of_crop(recipe, target)
        plan = self._resolved(self.with_options(recipe), target, place)
        device = inputs.device
        backend = choose_backend(plan.primitive, device, recipe.run.backend)
        notices = [f"{target.source}: {warning}" for warning in target.warnings]
        cropped = place.aspect is not None
        looked = recipe.target.crop_at == "face-or-whole"
        looked |= recipe.target.crop_at == "face" and cropped
        if looked and place.pad is None and len(place.at) == 2:
            shown = "what has most detail is shown; --crop-at X,Y,SHARE names another place"
            notices.append(
                "crop-at: no face of 50 pixels was found, so "
                + (shown if cropped else "the whole picture is shown")
            )
        if inputs.init is not None:
            notices += inputs.init.notices(target.canvas, plan.primitive)
        name, alone = plan.recipe.primitive.name, plan.primitive.always_compiled
        if device != "cpu" and (alone or (is_webgpu(device) and backend.footprint is None)):
            if asked.recipe.run.device != "auto":
                reason = backend.reason if backend.slow else "it has no kernels there"
                notices.append(f"{name} runs on the CPU, not on {device}: {reason}")
            device = "cpu"
            backend = choose_backend(plan.primitive, device, recipe.run.backend)
        if backend.slow:
            # A footprint that could have been compiled was not.
            notices.append(f"{name} runs on the slower eager backend: {backend.reason}")
        tensors_on = str(tensor_device(device))
        arithmetic = resolve_arithmetic(
            recipe.run.arithmetic, plan.primitive, tensors_on, batch(plan, target)
        )
        where = {"device": device, "backend": backend.name, "threads": asked.threads}
        run = {**where, "arithmetic": arithmetic}
        plan = with_pictures(plan, target.size, inputs.files, asked.registry)
        plan = replace(plan, recipe=complete(plan.recipe, target, inputs.files, run, place))
        plan = with_views(self.planned(plan), views)
        apart = {WEIGHTS} if target.copied else {WEIGHTS, "target"}
        data = self.tensors(plan, target)
        start = first_drawing(plan, target, data, inputs.init, views)
        if asked.recipe.output.film is not None:
            check_form(asked.recipe.output.film, asked.registry, plan.primitive, start)
        if recipe.output.start == "parts":
            # Of one part: it shall only be refused.
            first = {name: tensor[..., :1] for name, tensor in start.tensors.items()}
            building_order(plan.primitive, replace(start, tensors=first))
        if recipe.output.walk is not None:
            # Refuse a wrong walk now rather than after hours.
            open_latents(plan.primitive, start).walk(recipe.output.walk, 1)
        return Job(
            plan=plan,
            target=target,
            data=data,
            start=start,
            device=tensors_on,
            backend=backend,
            arithmetic=arithmetic,
            inputs=tuple(path for what, path in inputs.files.found.values() if what not in apart),
            notices=tuple(notices),
            notes=(*self.notes(plan, target), *bound_note(views, data.goal)),
            views=views,
        )

    def reasons_against(self, recipe: Recipe, source: str) -> Iterator[Reason]:
        """What no video can show."""
        yield from super().reasons_against(recipe, source)
        output = recipe.output
        ends = {output.start, output.end, output.walk} - {None, "hold"}
        yield Reason(
            "a film has no start, end or walk",
            output.film is not None and bool(ends),
            "leave out --film, or --start, --end and --walk",
        )
        form, _, file = (output.film or "").partition("=")
        yield Reason(
            f"a run shows its own target, not {file}",
            bool(file) and find_form(str(output.film), self.asked.registry).photo,
            f"write film {form}, or draw it with artgen render --film {output.film}",
        )
        hows = (how for table in recipe.view or () for how in table.how.split(","))
        names = {how.partition("=")[0].strip() for how in hows}
        asked = self.asked.registry.load("form", form).views if form else None
        yield Reason(
            f"a film of {form} is for a drawing with {' or '.join(sorted(asked or ['views']))}",
            asked is not None and not (names & asked if asked else names),
            "add --view HOW:PICTURE, or leave out --film",
        )
        yield Reason(
            "hard edges are for pictures in a palette",
            output.edges == "hard" and recipe.target.palette is None,
            "add --palette 5, or leave out --edges",
        )

    def _with_alpha(self, recipe: Recipe, target: Target) -> Recipe:
        """The recipe with whether the fit has the transparency of its target, and how.

        By default it has where the still shall be transparent: then parts must stay off what is
        transparent. Recipes with a background of their own keep it. A stored recipe says all of it.
        """
        wanted = recipe.target.alpha
        if wanted is None:
            wanted = recipe.output.transparent and recipe.target.background == "auto"
        if not (wanted and isinstance(target, ImageTarget) and target.rgba is not None):
            return recipe.with_target(alpha=None)
        primitive = self._primitive_of(recipe)
        if not primitive.can_be_transparent:
            return recipe.with_target(alpha=None)
        if recipe.target.sha256 is None:
            wanted = (primitive.alpha_counts or True) if wanted is True else wanted
            recipe = self._with_opacity(recipe, target.is_solid)
        return recipe.with_target(alpha=wanted)

    def _with_edges(self, recipe: Recipe, target: Target) -> Recipe:
        """The recipe with the edges of a picture in a palette: where they are hard, of solid parts.

        They are hard unless smooth ones are asked for, or its primitive `mixes` colours.
        An animated picture is then drawn as small as it is written: pixels that are made smaller
        have other colours.
        """
        output = recipe.output
        if recipe.target.palette is None or output.edges == "smooth":
            return recipe
        if output.edges is None and self._primitive_of(recipe).mixes:
            return recipe.with_output(edges="smooth")
        recipe = recipe.with_output(edges="hard")
        side = max(target.canvas.width, target.canvas.height)
        limits = ANIMATIONS.get(f".{output.video_format}")
        if output.video_size is None and limits is not None and side > limits.side:
            recipe = recipe.with_output(video_size=limits.side)
        return self._with_opacity(recipe, True) if recipe.target.sha256 is None else recipe

    def _primitive_of(self, recipe: Recipe) -> Primitive:
        """The primitive of a recipe, with what is asked for."""
        table = recipe.primitive
        return self.asked.inputs.named.primitive(table.options, preset=table.preset)

    def _with_opacity(self, recipe: Recipe, solid: bool) -> Recipe:
        """The recipe with options that make its parts opaque or not, unless one is asked for."""
        table, options = recipe.primitive, self._primitive_of(recipe).alpha_options(solid)
        asked = any("alpha" in stage.options for stage in recipe.stage) or table.preset
        if asked or self.asked.inputs.init or options.keys() & table.options.keys():
            return recipe
        return recipe.with_primitive(**options)

    def planned(self, plan: Plan) -> Plan:
        """The plan with what the kind completes."""
        return plan

    def tensors(self, plan: Plan, target: Target) -> TargetTensors:
        """The data to fit to."""
        data = target.tensors()
        alpha = plan.recipe.target.alpha
        if not (alpha and isinstance(target, ImageTarget)):
            return data
        even = None if alpha is True else target.even(alpha)
        return replace(data, goal=target.goal_over((plan.primitive.clear,) * 3), even=even)

    def notes(self, plan: Plan, target: Target) -> tuple[str, ...]:
        """Notes on the focus that was found, on a border that a palette changes, and on alpha."""
        return _focus_note(target) + _border_note(plan, target) + self._alpha_note(plan, target)

    def _alpha_note(self, plan: Plan, target: Target) -> tuple[str, ...]:
        if not isinstance(target, ImageTarget):
            return ()
        if target.rgba is None:
            bare = (
                f"{target.source} has no transparent pixels: --transparent leaves out what no part "
                "covers, inside of things too (erase what is around a thing to cut it out)"
            )
            return (bare,) if plan.recipe.output.transparent else ()
        table = self.asked.inputs.table
        solid = not plan.primitive.can_be_transparent
        open_to = plan.recipe.look if solid else table.background == "auto"
        if not open_to or table.alpha is not None or table.alpha_weight or plan.recipe.target.alpha:
            return ()
        share = 100 * float((target.without_border(target.rgba[:, :, 3]) < 0.5).mean())
        found = f"{target.source} is transparent in {share:.0f} % of its pixels"
        more = f", which {plan.recipe.primitive.name} cannot be: -p triangle" if solid else ":"
        return (f"{found}{more} --transparent fits its alpha",) if share >= 1 else ()

    def begin(self, job: Job, folder: RunFolder | None = None, started: Started = None) -> None:
        """Make the loop."""
        self.loop = Loop(
            job,
            self.context,
            folder=folder,
            checkpoint_every=self.asked.checkpoint_every,
            started=started,
        )
        self.total_steps = self.loop.total_steps

    def resume(self) -> None:
        """Go on from the newest checkpoint."""
        self.loop.resume()
        self.total_steps, self.resumed_at = self.loop.total_steps, self.loop.resumed_at

    def fit(self) -> Fitted:
        """Run all stages."""
        return self.loop.run()

    def estimate(self, job: Job, compiled: Sequence[str]) -> Estimate:
        """Rehearse the stages, for some seconds each, and write what came of it."""
        size, still, video = art_bytes(job.plan, job.target), None, None
        with TemporaryDirectory() as folder:
            frames = FrameStore(Path(folder, "frames"))
            fitted, first = rehearse(Loop(job, self.context), frames)
            # The run will find in the cache what was compiled here.
            seconds = fitted.seconds + (0.0 if compiled else first)
            with suppress(Diverged, OutputError):
                precision, output = job.recipe.run.precision, job.recipe.output
                if precision == "auto":
                    fitted = replace(fitted, drawing=self.rounded(fitted))
                drawing = quantised(job.shown(fitted.drawing), precision)
                art = Art(drawing, job.recipe, {}, precision, self.asked.registry)
                size = len(art.to_bytes()) if precision == "auto" else size
                still = len(encode_still(art, job.draw(drawing).pixels))
                if output.video:
                    file = Path(folder, f"video.{output.video_format}")
                    write_run_video(self, fitted, art, frames, file)
                    video = file.stat().st_size
        focus = job.target.sketch() if isinstance(job.target, ImageTarget) else None
        return Estimate(job.recipe, seconds, peak_memory(), size, still, video, focus)

    def metrics(self, fitted: Fitted, picture: Rendering, film: Film | None) -> Mapping[str, Any]:
        """Those of the view, and the loss of the last stage."""
        job, recipe = fitted.job, fitted.recipe
        pictures = in_poses(fitted, picture.outputs)
        loss = job.plan.losses[len(recipe.stage) - 1](
            pictures,
            job.measured.tensors().goal if recipe.target.alpha else job.data.goal,
            job.data.weight,
        )
        seen = view_metrics(job, pictures)
        views = {"views": seen} if seen else {}
        return {**job.metrics(picture), "loss": float(loss), **views}

    def video(self, fitted: Fitted, art: Art, stored: FrameStore) -> tuple[Frames, float]:
        """The progress of the fit, or its parts as they appear."""
        return progress_frames(fitted, art, stored)

    def _with_background(self, inputs: Inputs) -> tuple[Recipe, Target]:
        """The recipe with its background and palette as ``#rrggbb``, and the target over that.

        A background of ``auto`` becomes black; for shapes that of the drawing to start from, or the
        colour that fits the target best, its weighted mean. With a palette it becomes the colour
        next to that.
        """
        recipe, opened, palette = inputs.recipe, inputs.target, inputs.recipe.target.palette
        recipe = self._with_alpha(self._with_edges(recipe, opened), opened)
        background = recipe.target.background
        if isinstance(opened, ImageTarget) and recipe.target.alpha and background == "auto":
            background = opened.contrasting()
        if background != "auto":
            seen = opened.seen() if recipe.target.alpha else opened
            found = None if palette is None else seen.find_palette(palette)
            recipe = recipe.with_target(background=background, palette=found)
            return recipe, opened.over(parse_colour(background))
        best, colour = [0.0, 0.0, 0.0], "black"
        if inputs.named.primitive.mean_background and opened.subject is None:
            best = opened.mean_colour() if inputs.init is None else [*inputs.init.background]
            colour = hex_colour(best)
        if palette is not None:
            # Learned over that colour: the colours of transparent pixels follow from it.
            colours = opened.over(parse_colour(colour)).find_palette(palette)
            recipe = recipe.with_target(palette=colours)
            colour = ground_colour(colours, best)
        return recipe.with_target(background=colour), opened.over(parse_colour(colour))

    def _resolved(self, recipe: Recipe, target: Target, place: Frame) -> Plan:
        """The plan, with as many parts as its number of bytes allows."""
        inputs = self.asked.inputs

        def header(plan: Plan) -> int:
            # Backends and arithmetics are chosen later; these have the longest names.
            where = {"device": inputs.device, "threads": self.asked.threads}
            run = {**where, "backend": "compiled", "arithmetic": "fp32"}
            longest = replace(plan, recipe=complete(plan.recipe, target, inputs.files, run, place))
            return art_bytes(longest, target) - parameter_bytes(longest)

        if recipe.primitive.target_bytes is not None:
            if recipe.output.history:
                raise UsageError(
                    "target_bytes counts the file of one drawing, not of a history",
                    hint="leave out --history, or give --count in place of --target-bytes",
                )
            recipe = recipe.with_output(history=0)
        plan = make_plan(inputs.named.of(recipe), target.canvas, target.subject, header=header)
        if recipe.output.start == "parts" and not plan.primitive.has_count:
            raise UsageError(
                f"{recipe.primitive.name} has no parts that could appear", hint="leave out --start"
            )
        return plan


def _focus_note(target: Target) -> tuple[str, ...]:
    """What a focus of ``auto`` found: the middle of each circle, in percent."""
    if not (isinstance(target, ImageTarget) and isinstance(target.focus, tuple)):
        return ()
    if target.faces is None:
        return ()
    places = "; ".join(f"{100 * x:.0f} % across, {100 * y:.0f} % down" for x, y, _ in target.focus)
    what = "1 face" if target.faces == 1 else f"{target.faces or 'no'} faces"
    return (f"focus: {what}{'' if target.faces else '; what stands out'} at {places}",)


def _border_note(plan: Plan, target: Target) -> tuple[str, ...]:
    """That the palette has not the colour of the border, which is drawn in others then."""
    pad, colours = plan.recipe.target.pad, plan.recipe.target.palette
    if not (isinstance(target, ImageTarget) and pad and isinstance(colours, tuple)):
        return ()
    is_whole = target.without_border(target.image).shape == target.image.shape
    if is_whole or pad == BACKGROUND or hex_colour(parse_colour(pad)) in colours:
        return ()
    return (f"the border is in colours of the palette, which has no {pad}: name it in --palette",)
