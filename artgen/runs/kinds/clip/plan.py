"""What a clip asks of a recipe: how frames that follow are fitted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from artgen.base.errors import UsageError
from artgen.plan import Plan
from artgen.recipe import ClipTable, Stage


def plan_clip(plan: Plan) -> Plan:
    """The plan with a complete table `clip`, but for its steps where the stages have a time.

    Colours of a palette are chosen anew by the last engine alone.

    Raises UsageError where frames cannot follow one another under the last engine.
    """
    table = plan.recipe.clip or ClipTable()
    if table.engine is None and plan.recipe.target.palette is not None:
        table = table.replace(engine=plan.recipe.stage[-1].engine)
    plan = replace(plan, recipe=plan.recipe.replace(clip=table))
    over = _followed(plan)
    steps, table = over["steps"], table.replace(engine=over["engine"])
    if table.rate is None and "rate" in over:
        table = table.replace(rate=over["rate"] / (_rate(plan) or 1.0))
    if table.final is None and over.get("schedule") == "cosine":
        table = table.replace(final=over["final"])
    if plan.recipe.stage[-1].time is None:
        table = table.replace(steps=table.steps or steps)
    return replace(plan, recipe=plan.recipe.replace(clip=table))


def following_steps(plan: Plan) -> int:
    """The steps of a frame that follows another one, as the last engine suggests them."""
    return int(_followed(plan)["steps"])


def following_stage(plan: Plan) -> Stage:
    """The stage by which a frame follows another one."""
    assert plan.recipe.clip is not None
    return Stage.parse({**_followed(plan), "steps": plan.recipe.clip.steps})


def _followed(plan: Plan) -> dict[str, Any]:
    """The stage of a frame that follows another one.

    It is the last one with what its engine lays over it, and the rates of the table, if any.
    """
    table, stage, engine = plan.recipe.clip or ClipTable(), plan.recipe.stage[-1], plan.engines[-1]
    if engine.following and table.engine in (None, engine.following["engine"]):
        followed: dict[str, Any] = {"loss": stage.loss, **engine.following}
    elif table.engine not in (None, stage.engine):
        raise UsageError(
            f"engine {table.engine} does not follow {stage.engine} in a clip",
            hint=f"leave out clip.engine, or use {stage.engine}",
        )
    else:
        over = engine.follow(stage.options, stage.steps or 1, plan.count)
        if over is None:
            raise UsageError(
                f"engine {stage.engine} does not support clips with this primitive",
                hint="gradient does, with splats and fields; climb does, with shapes",
            )
        followed = {"engine": stage.engine, "loss": stage.loss, **stage.options, **over}
    if (table.rate, table.final) != (None, None) and "rate" not in followed:
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
