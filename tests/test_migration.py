"""Recipes and drawings of schema 1, and options that belong to one family."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import save_file

import artgen
from artgen import Canvas
from artgen.art import load
from artgen.errors import UsageError
from artgen.plan import Plan, resolve
from artgen.recipe import SCHEMA, Recipe
from artgen.registry import default

EVERY_OPTION = {
    **{"batch": 0, "jitter": 0.0, "start": 0.1, "add": 0.4, "move": 0.1, "every": 0.05},
    **{"until": 0.5, "soften": 0.15, "coarse": 0.0, "alpha": "auto", "settle": 0.0},
    **{"augment": 0.0, "turn": 15.0, "shift": 0.1, "zoom": 0.1, "shear": 10.0},
}
"""What a recipe of schema 1 holds for the engine `gradient`, beside Adam's options."""


def resolved(primitive: str, schema: int | None = None, **stage: object) -> Plan:
    data = {"primitive": {"name": primitive}, "stage": [{"engine": "gradient", **stage}]}
    if schema is not None:
        data["schema"] = schema
    return resolve(Recipe.from_dict(data), default(), Canvas(16, 16))


def test_a_key_of_schema_1_may_be_null():
    plan = resolved("gaussian", schema=1, steps=None, rate=0.5)
    assert plan.recipe.stage[0].steps
    assert plan.recipe.stage[0].options["rate"] == 0.5


@pytest.mark.parametrize(
    ("primitive", "key", "value", "owner"),
    [
        ("gaussian", "degrees", 30.0, "codec"),
        ("gaussian", "jitter", 0.5, "field"),
        ("siren", "alpha", "keep", "shape"),
        ("triangle", "start", 0.5, "splat and mesh"),
        ("gaussian", "batch", 10, "field and codec"),
    ],
)
def test_an_option_of_another_family_is_refused(primitive, key, value, owner):
    with pytest.raises(UsageError, match=f"gradient has no option '{key}' for a ") as caught:
        resolved(primitive, **{key: value})
    assert caught.value.hint == f"{key} is an option of the engine for {owner} primitives"


def test_a_recipe_holds_the_options_of_its_family_alone():
    options = resolved("gaussian").recipe.stage[0].options
    assert {"start", "converge", "rate"} <= options.keys()
    assert not {"jitter", "alpha", "augment", "batch"} & options.keys()


def test_a_fit_made_before_an_option_existed_keeps_what_was_done_then():
    options = resolved("gaussian").recipe.stage[0].options
    added = {"importance": "colour", "exponent": 1.0, "blur": 0.5, "interval": 0}
    earlier = {k: v for k, v in options.items() if k not in added}
    again = resolved("gaussian", **earlier).recipe.stage[0].options
    assert again == {**options, **added}
    assert resolved("gaussian", **options).recipe.stage[0].options == options
    assert resolved("gaussian", start=0.5).recipe.stage[0].options == {**options, "start": 0.5}


def test_ink_drawn_before_it_mixed_as_light_does_keeps_its_tones(tmp_path):
    art = artgen.fit(np.full((12, 12, 3), 128, np.uint8), "stipple", count=9, optical=False)
    options = {k: v for k, v in art.drawing.options.items() if k != "optical"}
    earlier = replace(art, drawing=replace(art.drawing, options=options))
    earlier.save(tmp_path / "earlier.art")
    again = artgen.load(tmp_path / "earlier.art")
    assert again.drawing.options["optical"] is False
    assert (again.render() == art.render()).all()


@pytest.mark.parametrize(
    ("primitive", "then"),
    [
        ("stipple", {"optical": False}),
        ("halftone", {"optical": False}),
        ("string", {"optical": False, "fade": 0, "detail": 121, "crisp": 0, "scattered": False}),
        ("wash", {"optical": False, "washes": "0.1,0.3,0.6,1.0,1.6"}),
        ("charcoal", {"optical": False, "tones": "0.08,0.21,0.35,0.48,0.6,0.72,0.8,0.9"}),
    ],
)
def test_a_recipe_of_0_3_in_ink_is_drawn_as_then(primitive, then):
    """Symmetry, which no recipe has where there is none, was taken for a missing option."""

    def options(**given):
        recipe = Recipe.from_dict({"primitive": {"name": primitive, **given}})
        return resolve(recipe, default(), Canvas(9, 9)).recipe.primitive.options

    today = options()
    assert options(**{k: v for k, v in today.items() if k not in then}) == {**today, **then}
    assert options(**today) == today


@pytest.mark.parametrize(
    ("primitive", "key", "then"),
    [
        ("wash", "washes", "0.1,0.3,0.6,1.0,1.6"),
        ("charcoal", "tones", "0.08,0.21,0.35,0.48,0.6,0.72,0.8,0.9"),
    ],
)
def test_drawings_of_few_layers_stay_as_they_were(tmp_path, primitive, key, then):
    ramp = np.linspace(0, 255, 32).astype(np.uint8)[None, :, None].repeat(24, 0).repeat(3, 2)
    art = artgen.fit(ramp, primitive, count=400, **{key: then})
    options = {k: v for k, v in art.drawing.options.items() if k != key}
    earlier = replace(art, drawing=replace(art.drawing, options=options))
    earlier.save(tmp_path / "earlier.art")
    again = artgen.load(tmp_path / "earlier.art")
    assert again.drawing.options[key] == then
    assert (again.render() == art.render()).all()


def test_an_autoencoder_made_before_it_knew_the_brightness_starts_from_mid_gray():
    def options(**given):
        recipe = Recipe.from_dict({"primitive": {"name": "autoencoder", **given}})
        return resolve(recipe, default(), Canvas(9, 9), set_of_black()).recipe.primitive.options

    complete = options()
    assert complete["brightness"] == 0.01
    assert options(**complete) == complete
    del complete["brightness"]
    assert options(**complete)["brightness"] == 0.5


def set_of_black():
    return artgen.targets.set_from_arrays(np.zeros((6, 28, 28))).subject


@pytest.mark.parametrize("primitive", ["gaussian", "siren", "triangle"])
def test_a_recipe_of_schema_1_loses_the_options_of_other_families(primitive):
    old = resolved(primitive, schema=1, **EVERY_OPTION, rate=0.5)
    new = resolved(primitive, rate=0.5, **({} if primitive != "siren" else {"batch": 0}))
    assert old.recipe.schema_version == SCHEMA == 2
    # What it says of its own family, which was the default of then.
    kept = {
        "gaussian": {"every": 0.05, "until": 0.5},
        "siren": {"jitter": 0.0},
        "triangle": {},
    }[primitive]
    assert old.recipe.stage[0].options == {**new.recipe.stage[0].options, **kept}


def test_schema_1_has_no_options_that_never_were():
    with pytest.raises(UsageError, match="no option 'jiter'"):
        resolved("siren", schema=1, jiter=0.5)


def test_old_names_are_those_of_schema_1():
    assert resolved("gaussian", schema=1, settle=0.5).recipe.stage[0].options["converge"] == 0.5
    with pytest.raises(UsageError, match="no option 'settle'"):
        resolved("gaussian", settle=0.5)
    data = {"primitive": {"name": "artgen/hashgrid", "rows": 9}}
    plan = resolve(Recipe.from_dict({**data, "schema": 1}), default(), Canvas(16, 16))
    assert plan.recipe.primitive.options["log2_rows"] == 9
    with pytest.raises(UsageError, match="no option 'rows'"):
        resolve(Recipe.from_dict(data), default(), Canvas(16, 16))


def test_a_drawing_of_schema_1_opens(tmp_path):
    art = artgen.fit("sample:coffee", "hashgrid", size=8, steps=1, log2_rows=4, levels=2, seed=1)
    path = tmp_path / "grid.art"
    art.save(path)
    with safe_open(path, framework="pt") as data:
        header = json.loads(data.metadata()["artgen"])
        tensors = {name: data.get_tensor(name) for name in data.keys()}  # noqa: SIM118
    header["recipe"]["schema"] = 1
    for table in (header["drawing"]["options"], header["recipe"]["primitive"]):
        table["rows"] = table.pop("log2_rows")
    save_file(tensors, path, {"artgen": json.dumps(header)})
    assert np.array_equal(load(path).render(), art.render())
