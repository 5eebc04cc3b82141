"""What a clip asks of a recipe: what goes with it, and how frames that follow are fitted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from artgen.engines.protocols import FollowedByOther, FollowsFrames
from artgen.errors import UsageError
from artgen.recipe import ClipTable, OutputTable, Recipe, Stage
from artgen.resolve import Plan
from artgen.targets import Target


def check_clip(recipe: Recipe, target: Target) -> None:
    """Raise UsageError for what does not go with this target."""
    if target.clip is None:
        if recipe.clip is not None:
            raise UsageError(
                f"{target.source} is not a clip, so options for clips do not apply",
                hint="leave out --side-by-side and --set clip.KEY",
            )
        return
    plain = OutputTable()
    refused = {
        "a time for some of its stages": (
            len({stage.time is None for stage in recipe.stage}) > 1,
            "give every stage a time, as in --time 20,10",
        ),
        "a count of auto": (recipe.primitive.count == "auto", "give --count a number"),
        "a number of bytes": (
            recipe.primitive.target_bytes is not None,
            "give --count a number: the file grows with the frames",
        ),
        "a drawing to start from": (recipe.init is not None, "leave out --init"),
        "another rate or length": (
            recipe.output.video
            and (recipe.output.fps, recipe.output.video_seconds)
            != (plain.fps, plain.video_seconds),
            "leave it out, and draw the film with artgen render -o FILE.mp4 --fps --speed",
        ),
        "a history": (
            bool(recipe.output.history),
            "leave out --history: the clip gives a film",
        ),
        "a last step": (
            any(stage.stop is not None for stage in recipe.stage),
            "leave out stop",
        ),
    }
    for what, (asked, hint) in refused.items():
        if asked:
            raise UsageError(f"{target.source} is a clip, which cannot have {what}", hint=hint)


def plan_clip(plan: Plan) -> Plan:
    """The plan with a complete table `clip`, but for its steps where the stages have a time.

    Colours of a palette are chosen anew by the last engine alone.

    Raises UsageError where frames cannot follow one another under the last engine.
    """
    table = plan.recipe.clip or ClipTable()
    if table.engine is None and plan.recipe.target.palette is not None:
        table = table.model_copy(update={"engine": plan.recipe.stage[-1].engine})
    plan = replace(plan, recipe=plan.recipe.with_clip(table))
    over = _followed(plan)
    steps, table = over["steps"], table.model_copy(update={"engine": over["engine"]})
    if table.rate is None and "rate" in over:
        table = table.model_copy(update={"rate": over["rate"] / _rate(plan)})
    if table.final is None and over.get("schedule") == "cosine":
        table = table.model_copy(update={"final": over["final"]})
    if plan.recipe.stage[-1].time is None:
        table = table.model_copy(update={"steps": table.steps or steps})
    return replace(plan, recipe=plan.recipe.with_clip(table))


def following_steps(plan: Plan) -> int:
    """The steps of a frame that follows another one, as the last engine suggests them."""
    return int(_followed(plan)["steps"])


def following_stage(plan: Plan) -> Stage:
    """The stage by which a frame follows another one."""
    assert plan.recipe.clip is not None
    return Stage(**{**_followed(plan), "steps": plan.recipe.clip.steps})


def _followed(plan: Plan) -> dict[str, Any]:
    """The stage of a frame that follows another one, with the rates of the table, if any."""
    followed = _suggested(plan)
    table = plan.recipe.clip or ClipTable()
    if table.rate is None and table.final is None:
        return followed
    if "rate" not in followed:
        raise UsageError(
            f"engine {followed['engine']} has no learning rates",
            hint="leave out clip.rate and clip.final",
        )
    if table.rate is not None:
        followed["rate"] = table.rate * _rate(plan)
    if table.final is not None:
        followed.update(schedule="cosine", final=table.final)
    return followed


def _rate(plan: Plan) -> float:
    """The factor on the learning rates of the last stage."""
    return float(plan.recipe.stage[-1].options.get("rate", 1.0))


def _suggested(plan: Plan) -> dict[str, Any]:
    """The last stage with what its engine lays over it."""
    stage, engine = plan.recipe.stage[-1], plan.engines[-1]
    table = plan.recipe.clip or ClipTable()
    over = None
    if isinstance(engine, FollowedByOther) and table.engine in (None, engine.following["engine"]):
        return {"loss": stage.loss, **engine.following}
    if table.engine not in (None, stage.engine):
        raise UsageError(
            f"engine {table.engine} does not follow {stage.engine} in a clip",
            hint=f"leave out clip.engine, or use {stage.engine}",
        )
    if issubclass(engine, FollowsFrames):
        over = engine.follow(stage.options, stage.steps or 1, plan.count)
    if over is None:
        raise UsageError(
            f"engine {stage.engine} does not support clips with this primitive",
            hint="gradient does, with splats and fields; climb does, with shapes",
        )
    kept = {"engine": stage.engine, "loss": stage.loss, **stage.options}
    return {**kept, **over}
