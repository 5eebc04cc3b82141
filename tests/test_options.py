"""Options: types, bounds, choices and how mistakes are named."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from datetime import date
from typing import Literal

import pytest

from artgen import option
from artgen.base.options import describe_options, parse_options, parse_value
from artgen.errors import UsageError
from artgen.plan.options import check_engine_options


@dataclass(frozen=True)
class Petals:
    count: int = option(8, "how many petals", low=1, high=64)
    edge: float = option(3.0, "steepness of the edge", low=0.1)
    form: Literal["text", "notebook"] = option("notebook", "which formula")
    bands: int | None = option(None, "octaves", low=1)
    soft: bool = option(False, "soft edges")
    title: str = option("", "a caption")


def test_of_several_unknown_options_of_an_engine_the_first_is_named():
    """It was another one in each process."""
    asked = ["zinc", "acid", "moss", "calm", "ruby", "fern"]
    with pytest.raises(UsageError, match="no option 'zinc'"):
        check_engine_options("gradient", asked, set(), {}, "splat")


def parse(**values):
    return parse_options(Petals, values, owner="petals")


def test_defaults_and_given_values():
    assert parse() == Petals()
    given = {"count": 3, "edge": 2, "form": "text", "bands": 4, "soft": True, "title": "rose"}
    assert parse(**given) == Petals(3, 2.0, "text", 4, True, "rose")


@pytest.mark.parametrize("numbers", [{"default": math.inf}, {"default": 1.0, "low": math.nan}])
def test_an_option_of_a_plugin_is_finite(numbers):
    with pytest.raises(ValueError, match="NaN or infinite"):
        option(help="too much", **numbers)


def test_bounds_are_inclusive():
    assert parse(count=1).count == 1
    assert parse(count=64).count == 64


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"count": True}, "count must be a whole number from 1 to 64, got True"),
        ({"bands": True}, "got True"),
        ({"edge": False}, "edge must be a number from 0.1, got False"),
        ({"count": "many"}, "count must be a whole number from 1 to 64, got 'many'"),
        ({"count": 2.5}, "from 1 to 64, got 2.5"),
        ({"count": None}, "from 1 to 64, got None"),
        ({"form": "book"}, "form must be text or notebook, got 'book'"),
        ({"count": 0}, "from 1 to 64, got 0"),
        ({"count": 65}, "from 1 to 64, got 65"),
        ({"bands": 0}, "got 0"),
        ({"edge": 0.0999}, "from 0.1, got 0.0999"),
        ({"edge": math.nan}, "from 0.1, got nan"),
        ({"edge": math.inf}, "from 0.1, got inf"),
        ({"edge": 10**400}, "from 0.1, got 1000"),
    ],
)
def test_mistakes_name_the_owner_the_key_and_what_would_do(values, says):
    with pytest.raises(UsageError) as caught:
        parse(**values)
    assert caught.value.message.startswith("petals option ")
    assert says in caught.value.message
    assert caught.value.hint == next(
        field.metadata["help"] for field in dataclasses.fields(Petals) if field.name in values
    )


@pytest.mark.parametrize("value", [3, date(2024, 6, 1), [1, 2]])
def test_a_number_or_a_date_in_place_of_a_text_is_to_stand_in_quotes(value):
    with pytest.raises(UsageError, match="title must be text, got ") as caught:
        parse(title=value)
    assert caught.value.hint == "write it in quotes: 'title=\"…\"'"


def test_unknown_keys_are_refused_with_the_nearest_names():
    with pytest.raises(UsageError, match="petals has no option 'cuont'") as caught:
        parse(cuont=3)
    assert caught.value.hint == "did you mean count?"


def test_unknown_keys_without_near_names_list_all():
    with pytest.raises(UsageError) as caught:
        parse(xyzzy=3)
    assert caught.value.hint == "known: bands, count, edge, form, soft, title"


def test_descriptions_come_in_order_with_types_and_bounds():
    described = describe_options(Petals)
    assert [info.name for info in described] == ["count", "edge", "form", "bands", "soft", "title"]
    first = described[0]
    assert (first.type, first.default, first.help) == ("int from 1 to 64", 8, "how many petals")
    assert described[2].type == "text or notebook"
    assert described[4].type == "bool"
    choices = [(), (), ("text", "notebook"), (), (False, True), ()]
    assert [info.choices for info in described] == choices


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8", 8),
        ("-2.5", -2.5),
        ("1e-3", 0.001),
        ("true", True),
        ('"8"', "8"),
        ("[1, 2]", [1, 2]),
        ("notebook", "notebook"),
        ("l1+0.1*ssim", "l1+0.1*ssim"),
        ("", ""),
        ("two words", "two words"),
        ("1\nother = 2", "1\nother = 2"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_typed_values_are_toml_literals_or_bare_text(text, value):
    parsed = parse_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize("default", [-1, 1.5, 9])
def test_the_default_of_an_option_is_within_its_bounds(default):
    """A fit took it, and then refused the same number as a flag."""
    with pytest.raises(ValueError, match="out of its bounds"):
        option(default, "share", low=0, high=1)
    assert option(None, "share", low=0, high=1).default is None


def test_an_option_without_a_default_must_be_given():
    """Makers and engines ended in an internal error."""

    @dataclass(frozen=True)
    class Needy:
        board: float

    assert parse_options(Needy, {"board": 3.0}, "frame") == Needy(3.0)
    with pytest.raises(UsageError, match="frame needs the option board"):
        parse_options(Needy, {}, "frame")
