"""Recipes: they survive TOML and JSON, and mistakes are named with the nearest known key."""

from __future__ import annotations

import json
import os
import pickle
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artgen.base.errors import InputError, UsageError
from artgen.recipe import Recipe
from artgen.recipe.texts import split_outside

SHA256 = "0123456789abcdef" * 4

names = st.text(st.characters(min_codepoint=32, blacklist_categories=("Cs",)), max_size=12)
references = st.builds(
    lambda name, known: {"name": name, **({"sha256": SHA256} if known else {})},
    names,
    st.booleans(),
)
option_values = st.one_of(
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    names,
)
option_tables = st.dictionaries(
    st.sampled_from(["harmonics", "blend", "rate", "ünïcode", "key with spaces"]), option_values
)


def table(**keys):
    return st.fixed_dictionaries({}, optional=keys)


def with_options(keys):
    return st.builds(lambda own, options: {**options, **own}, keys, option_tables)


recipes = table(
    schema=st.just(2),
    seed=st.integers(0, 2**63 - 1),
    init=references,
    target=table(
        source=names,
        sha256=st.just(SHA256),
        size=st.integers(1, 9000),
        background=names,
        mask=references,
        alpha_weight=st.booleans(),
    ),
    primitive=with_options(
        table(name=names, count=st.integers(1, 10_000_000), preset=names, plugin=references)
    ),
    stage=st.lists(
        with_options(
            table(
                engine=names,
                steps=st.integers(1, 10**9),
                time=st.floats(1e-3, 1e6),
                stop=st.integers(0, 10**9),
                target_psnr=st.floats(0.1, 100),
                plateau=st.integers(1, 10**6),
                loss=names,
            )
        ),
        min_size=1,
        max_size=3,
    ),
    output=table(still_size=st.integers(1, 65_536), transparent=st.booleans(), fps=st.just(24)),
    run=table(device=names, threads=st.integers(1, 256), precision=st.just("int8")),
)


@settings(max_examples=60)
@given(recipes)
def test_toml_and_json_give_the_same_recipe_back(tmp_path_factory, data):
    recipe = Recipe.from_dict(data)
    assert Recipe.from_dict(json.loads(recipe.to_json())) == recipe
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    file = tmp_path_factory.getbasetemp() / "recipe.toml"
    file.write_text(recipe.to_toml(), encoding="utf-8")
    again = Recipe.from_toml(file)
    assert again == recipe
    assert again.to_json() == recipe.to_json()


def test_equal_recipes_give_equal_json_whatever_the_order_of_keys():
    one = Recipe.from_dict({"seed": 1, "primitive": {"name": "fourier", "a": 1, "b": 2}})
    other = Recipe.from_dict({"primitive": {"b": 2, "a": 1, "name": "fourier"}, "seed": 1})
    assert one.to_json() == other.to_json()


def test_an_empty_recipe_is_complete():
    recipe = Recipe.from_dict({})
    assert recipe.target.source == "sample:astronaut"
    assert recipe.primitive.name == "gaussian"
    assert [stage.engine for stage in recipe.stage] == ["auto"]


def test_other_keys_of_primitive_and_stage_are_options():
    recipe = Recipe.from_dict(
        {"primitive": {"name": "fourier", "harmonics": 8}, "stage": [{"steps": 5, "rate": 0.5}]}
    )
    assert recipe.primitive.options == {"harmonics": 8}
    assert recipe.stage[0].options == {"rate": 0.5}


def test_files_may_be_given_by_name_alone():
    recipe = Recipe.from_dict({"init": "a.art", "target": {"mask": "m.png"}})
    assert recipe.init is not None
    assert recipe.init.name == "a.art"
    assert recipe.target.mask is not None
    assert recipe.target.mask.name == "m.png"


@pytest.mark.parametrize(
    ("data", "key", "hint"),
    [
        ({"sede": 1}, "sede", "seed"),
        ({"target": {"soruce": "x"}}, "target.soruce", "source"),
        ({"output": {"video_second": 3}}, "output.video_second", "video_seconds"),
        ({"run": {"thread": 3}}, "run.thread", "threads"),
        ({"target": {"mask": {"nam": "m.png"}}}, "target.mask.nam", "name"),
        (
            {"primitive": {"plugin": {"name": "a", "sha25": "b"}}},
            "primitive.plugin.sha25",
            "sha256",
        ),
    ],
)
def test_unknown_keys_are_refused_with_the_nearest_name(data, key, hint):
    with pytest.raises(InputError) as caught:
        Recipe.from_dict(data, where="rose.toml")
    assert caught.value.message == f"rose.toml: unknown key {key!r}"
    assert caught.value.hint is not None
    assert hint in caught.value.hint
    assert caught.value.hint.startswith("did you mean")


@pytest.mark.parametrize(
    ("data", "home"),
    [
        ({"count": 3}, "[primitive]"),
        ({"source": "x.png"}, "[target]"),
        ({"target": {"steps": 3}}, "[[stage]] or [clip] or [tiles]"),
        ({"target": {"count": 3}}, "[primitive]"),
        ({"run": {"seed": 3}}, "the recipe, above all tables"),
    ],
)
def test_a_misplaced_key_is_told_where_it_stands(data, home):
    """Its nearest name was that of a table: did you mean output or run?"""
    with pytest.raises(InputError, match="unknown key") as caught:
        Recipe.from_dict(data)
    [name] = [key for table in data.values() if isinstance(table, dict) for key in table] or data
    assert caught.value.hint == f"{name} is a key of {home}"


@pytest.mark.parametrize("schema", [3, 0, "1", True, None])
def test_another_schema_is_refused_by_name(schema):
    with pytest.raises(InputError, match=f"rose.toml has schema {schema!r}, this artgen reads"):
        Recipe.from_dict({"schema": schema, "not_yet_invented": 1}, where="rose.toml")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"seed": -1}, "seed = -1"),
        ({"seed": 2**63}, "seed = "),
        ({"seed": True}, "seed = True"),
        ({"seed": "7"}, "seed = '7'"),
        ({"target": {"size": 0}}, "target.size = 0"),
        ({"primitive": {"count": 0}}, "primitive.count = 0"),
        ({"primitive": {"count": 1.5}}, "primitive.count = 1.5"),
        ({"primitive": {"name": 3}}, "primitive.name = 3"),
        ({"primitive": "gaussian"}, "primitive = 'gaussian'"),
        ({"stage": []}, "stage = []"),
        ({"stage": [{"steps": 3}, {"steps": 0}]}, "stage.2.steps = 0"),
        ({"stage": {"steps": 3}}, "stage = {'steps': 3}"),
        ({"stage": [{"steps": 10**9 + 1}]}, "stage.1.steps = 1000000001"),
        ({"stage": [{"stop": 10**20}]}, "stage.1.stop = 100000000000000000000"),
        ({"stage": [{"plateau": 10**20}]}, "stage.1.plateau = 100000000000000000000"),
        ({"stage": [{"steps": 1}] * 101}, "stage = [{'steps': 1},"),
        ({"clip": {"steps": 10**20}}, "clip.steps = 100000000000000000000"),
        ({"stage": [{"steps": 9, "replanned": []}]}, "stage.1.replanned = ()"),
        ({"stage": [{"steps": 9, "replanned": 3}]}, "stage.1.replanned = 3"),
        ({"stage": [{"steps": 9, "replanned": [[1, 2.0]]}]}, "stage.1.replanned = [[1, 2.0]]"),
        ({"stage": [{"steps": 9, "replanned": [[0, 8]]}]}, "stage.1.replanned = [[0, 8]]"),
        ({"stage": [{"steps": 9, "replanned": [[9, 12]]}]}, "stage.1.replanned = [[9, 12]]"),
        ({"stage": [{"replanned": [[1, 2]]}]}, "stage.1.replanned = [[1, 2]]"),
        (
            {"stage": [{"steps": 9, "replanned": [[5, 8], [5, 7]]}]},
            "stage.1.replanned = [[5, 8], [5, 7]]",
        ),
        ({"stage": [{"time": 0}]}, "stage.1.time = 0"),
        ({"stage": [{"time": 1e300}]}, "stage.1.time = 1e+300"),
        ({"stage": [{"time": float("nan")}]}, "stage.1.time = nan"),
        ({"stage": [{}, {"rate": float("nan")}]}, "stage.2.rate = nan"),
        ({"primitive": {"scale": [1.0, float("-inf")]}}, "primitive.scale.2 = -inf"),
        ({"output": {"still_size": 65_537}}, "output.still_size = 65537"),
        ({"output": {"fps": 121}}, "output.fps = 121"),
        ({"output": {"video": "no"}}, "output.video = 'no'"),
        ({"run": {"precision": "fp64"}}, "run.precision = 'fp64'"),
        ({"run": {"backend": "cuda"}}, "run.backend = 'cuda'"),
    ],
)
def test_values_out_of_range_name_the_key(data, says):
    with pytest.raises(InputError) as caught:
        Recipe.from_dict(data, where="rose.toml")
    key, value = says.split(" = ")
    assert caught.value.message.startswith(f"rose.toml: {key} must ")
    assert f", got {value}" in caught.value.message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"seed = = 1", "is not a TOML recipe"),
        (b"\xff\xfe", "is not a TOML recipe"),
        (b"seed = " + b"9" * 5000, "is not a TOML recipe"),
        (b"x = " + b"[" * 5000, "is not a TOML recipe"),
    ],
)
def test_a_file_that_is_not_toml_is_refused(tmp_path, content, says):
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=says):
        Recipe.from_toml(file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"primitive.x = {'[' * 30}{']' * 30}", "tables or lists nested more than 20 deep"),
        (f"x = {'[' * 100_000}", "lists or tables are nested more than 20 deep"),
        (f"{'a.' * 6000}b = 1", "a key has more than 20 parts"),
        (f"[{'a . ' * 6000}b]", "a key has more than 20 parts"),
        ("x = 'a' # '\n" + '"a".' * 6000 + "b = 1", "a key has more than 20 parts"),
        (f"x = {'9' * 5000}", "is not a TOML recipe"),
        ("'" * 500_000, "is not a TOML recipe"),
        ("x" * 2**20 + " = 1", "is larger than 1 MiB"),
    ],
    ids=lambda text: text[:15],
)
def test_a_small_file_cannot_ask_for_much_memory(tmp_path, text, says):
    file = tmp_path / "deep.toml"
    file.write_text(text)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=says):
            Recipe.from_toml(file)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_dots_in_strings_and_comments_are_no_keys(tmp_path):
    dots = ".".join("a" * 500)
    file = tmp_path / "dots.toml"
    file.write_text(
        f"""
# {dots}
[primitive]
one = "it's \\" {dots}"
two = '{dots}'  # {dots}
three = \"\"\"
" {dots} \"\"\"
"""
    )
    assert Recipe.from_toml(file).primitive.options["two"] == dots


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_pipe_or_a_device_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    for path in (tmp_path / "pipe.toml", Path("/dev/zero")):
        with pytest.raises(InputError, match="is a pipe, socket or device"):
            Recipe.from_toml(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot read recipe"):
        Recipe.from_toml(tmp_path / "none.toml")


def test_changes_keep_the_other_keys():
    recipe = Recipe.from_dict({"seed": 1, "primitive": {"name": "fourier", "harmonics": 4}})
    changed = recipe.with_primitive(count=9).with_stage(0, steps=5).with_seed(2)
    assert changed.primitive.name == "fourier"
    assert (changed.primitive.count, changed.primitive.options) == (9, {"harmonics": 4})
    assert (changed.seed, changed.stage[0].steps) == (2, 5)
    assert recipe.seed == 1


def test_a_change_out_of_range_is_a_usage_error():
    with pytest.raises(UsageError, match=r"target\.size must be .*, got 0"):
        Recipe().with_target(size=0)
    with pytest.raises(UsageError, match=r"unknown key 'target\.sise'") as caught:
        Recipe().with_target(sise=9)
    assert "size" in caught.value.hint
    with pytest.raises(UsageError, match=r"stage\.steps must be .*, got 0"):
        Recipe().with_stage(0, steps=0)


def test_only_what_was_asked_for_is_requested():
    asked = {"primitive": {"name": "fourier", "harmonics": 4}, "stage": [{"steps": 5, "rate": 0.5}]}
    recipe = Recipe.from_dict(asked)
    filled = (
        recipe.with_run(threads=1).with_seed(3).with_primitive(count=9).with_stage(0, plateau=2)
    )
    assert filled.requested() == asked
    assert filled.with_stage(0, steps=6).requested()["stage"][0]["steps"] == 6
    assert pickle.loads(pickle.dumps(filled)).requested() == filled.requested()
    assert filled.to_dict()["stage"] == [{"engine": "auto", "steps": 5, "plateau": 2, "rate": 0.5}]


def test_a_table_in_place_of_a_list_of_tables_is_told_how_to_be_written(tmp_path):
    file = tmp_path / "rose.toml"
    for text, name in (
        ("[stage]\nsteps = 3", "stage"),
        ('[view]\nhow = "mirror"', "view"),
        ('[[stage]]\n[stage.loss_files]\nname = "a.jpg"', r"stage\.loss_files"),
    ):
        file.write_text(text)
        says = rf"must be a list of tables, written as \[\[{name}\]\]"
        with pytest.raises(InputError, match=says):
            Recipe.from_toml(file)


def test_a_mark_of_the_byte_order_at_the_beginning_is_no_mistake(tmp_path):
    """Notepad writes one, and the first line was an invalid statement."""
    (tmp_path / "rose.toml").write_bytes(b"\xef\xbb\xbfseed = 7\n")
    assert Recipe.from_toml(tmp_path / "rose.toml").seed == 7


def test_two_files_of_a_loss_that_are_called_the_same_are_refused():
    """The second one was taken for both."""
    loss = "mse+0.1*texture:a/wood.jpg+0.1*texture:{}"
    with pytest.raises(InputError, match=r"of the same name, rename one: a/wood\.jpg, b/wood\.jpg"):
        Recipe.from_dict({"stage": [{"loss": loss.format("b/wood.jpg")}]})
    assert Recipe.from_dict({"stage": [{"loss": loss.format("a/wood.jpg")}]})


@pytest.mark.parametrize("weight", ["1.2.3", ".", "..5", "1e5e5"])
def test_a_weight_of_a_view_that_is_no_number_is_refused(weight):
    """It ended with an internal error."""
    with pytest.raises(InputError, match="says not how the drawing is seen"):
        Recipe.from_dict({"view": [f"{weight}*turn=180:horse.jpg"]})
    for text, found in (("2*mirror", 2.0), (".5*mirror", 0.5), ("1.*mirror", 1.0), ("mirror", 1.0)):
        [view] = Recipe.from_dict({"view": [text]}).view
        assert (view.how, view.weight) == ("mirror", found)


def test_marks_between_quotes_do_not_cut_and_many_marks_take_no_time():
    """The rest of a text was read again at each mark: a recipe of a megabyte took for ever."""
    assert split_outside('a+0.5*text:"b+c"@d+"e', "+") == ["a", '0.5*text:"b+c"@d', '"e']
    assert split_outside("+" * 300_000, "+") == [""] * 300_001
    with pytest.raises(InputError, match="says not how the drawing is seen"):
        Recipe.from_dict({"view": ["1" * 300_000 + "*"]})


@pytest.mark.parametrize("given", [[1, 0.5, 0], (1, 0.5, 0), "1,0.5,0"])
def test_a_colour_may_be_three_numbers(given):
    """They were refused: `must be text`."""
    asked = {"background": given, "pad": given, "palette": [given, "teal"]}
    target = Recipe.from_dict({"target": asked}).target
    assert (target.background, target.pad, target.palette) == (
        *("1,0.5,0", "1,0.5,0"),
        ("1,0.5,0", "teal"),
    )
    for wrong in ([1, 0], [[1, 0, 0]], ["1", "0", "0"]):
        with pytest.raises(InputError, match="background must be a CSS name, #rrggbb, or three"):
            Recipe.from_dict({"target": {"background": wrong}})
