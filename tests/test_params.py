"""What is learned: maps and their inverses, bounds, and initial values."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from artgen import Canvas, Param, Params, init, pixels, rates
from artgen.init import Context
from artgen.primitives import Map

FUNCTIONS = ["identity", "exp", "softplus", "sigmoid", "tanh", "reciprocal"]

every_function = pytest.mark.parametrize("function", FUNCTIONS)


def context(count=50, width=40, height=20, seed=0, **more):
    rng = torch.Generator().manual_seed(seed)
    return Context(rng, Canvas(width, height), count, **more)


def double(value):
    return torch.tensor(value, dtype=torch.float64)


# ---- maps ----------------------------------------------------------------------------------------


@every_function
@settings(max_examples=40)
@given(
    raw=st.floats(0.05, 6),
    sign=st.sampled_from([-1, 1]),
    scale=st.sampled_from([-3.0, 0.25, 1.0, 8.0]),
    shift=st.sampled_from([-3.0, 0.0, 2.0]),
)
def test_the_inverse_gives_the_raw_value_back(function, raw, sign, scale, shift):
    map = Map(function, scale, shift)
    raw = raw if function == "reciprocal" else sign * raw
    back = map.inverse(map(double(raw))).item()
    assert back == pytest.approx(raw, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("function", "raw", "mapped"),
    [
        ("identity", 0.3, 0.3),
        ("exp", 0.3, math.exp(0.3)),
        ("softplus", 0.3, math.log1p(math.exp(0.3))),
        ("sigmoid", 0.3, 1 / (1 + math.exp(-0.3))),
        ("tanh", 0.3, math.tanh(0.3)),
        ("reciprocal", 0.25, 4.0),
    ],
)
def test_functions_are_what_their_names_say(function, raw, mapped):
    assert Map(function)(double(raw)).item() == pytest.approx(mapped)
    assert Map(function, 2.0, -1.0)(double(raw)).item() == pytest.approx(2 * mapped - 1)


@pytest.mark.parametrize(
    ("function", "saturated"),
    [
        ("exp", [0.0, -1.0]),
        ("softplus", [0.0, -1.0]),
        ("sigmoid", [0.0, 1.0, -0.5, 1.5]),
        ("tanh", [-1.0, 1.0, -2.0, 2.0]),
        ("reciprocal", [0.0]),
    ],
)
def test_the_inverse_of_a_saturated_value_is_finite(function, saturated):
    raw = Map(function, 8.0, 1.0).inverse(8.0 * torch.tensor(saturated) + 1.0)
    assert torch.isfinite(raw).all()
    mapped = Map(function, 8.0, 1.0)(raw)
    assert torch.isfinite(mapped).all()


def test_softplus_of_large_values_does_not_overflow_on_the_way_back():
    assert Map("softplus").inverse(torch.tensor([30.0, 500.0])).tolist() == [30.0, 500.0]


def test_an_unknown_map_is_refused_naming_the_known_ones():
    with pytest.raises(ValueError, match="map must be one of identity, exp"):
        Param(map="sqrt")


@pytest.mark.parametrize("name", ["init", "lr", "min", "max", "period"])
def test_what_is_no_number_is_refused_where_it_is_declared(name):
    with pytest.raises(TypeError, match=f"{name} must be a number or a function, got 'fast'"):
        Param(**{name: "fast"})


def test_bounds_the_wrong_way_round_are_refused_where_they_are_declared():
    with pytest.raises(ValueError, match=r"min must not be above max, got min 5\.0 and max 1"):
        Param(min=5.0, max=1)
    with pytest.raises(ValueError, match="min must not be above max"):
        Param(min=5.0).replaced(max=1.0)
    assert Param(min=2.0, max=2.0).bounds(context()) == (2.0, 2.0)


# ---- bounds --------------------------------------------------------------------------------------


@every_function
@settings(max_examples=40)
@given(
    low=st.one_of(st.none(), st.floats(0.05, 0.9)),
    high=st.one_of(st.none(), st.floats(0.05, 0.9)),
    scale=st.sampled_from([-2.0, 0.5, 1.0, 4.0]),
)
def test_clamped_raw_values_map_into_the_bounds(function, low, high, scale):
    assume(low is None or high is None or low < high)
    low = None if low is None else scale * low
    high = None if high is None else scale * high
    if low is not None and high is not None:
        low, high = sorted([low, high])
    param = Param(map=Map(function, scale), min=low, max=high)
    raw_low, raw_high = param.raw_bounds(context())
    raw = torch.linspace(-8, 8, 401, dtype=torch.float64).clamp(raw_low, raw_high)
    mapped = param.map(raw)
    slack = 1e-5 * abs(scale)
    if low is not None:
        assert mapped.min() >= low - slack
    if high is not None:
        assert mapped.max() <= high + slack


def test_bounds_leave_what_is_inside_alone():
    param = Param(map="exp", min=0.5, max=2.0)
    low, high = param.raw_bounds(context())
    assert (low, high) == (pytest.approx(math.log(0.5)), pytest.approx(math.log(2)))


def test_a_decreasing_map_swaps_the_bounds():
    assert Param(map=Map("identity", -2.0), min=1.0).raw_bounds(context()) == (-math.inf, -0.5)
    assert Param(map=Map("identity", -2.0), max=1.0).raw_bounds(context()) == (-0.5, math.inf)
    assert Param(map=Map("identity", -2.0), min=1.0, max=4.0).raw_bounds(context()) == (-2.0, -0.5)


def test_a_reciprocal_stays_positive():
    assert Param(map="reciprocal", min=0.5, max=4.0).raw_bounds(context()) == (0.25, 2.0)
    low, high = Param(map="reciprocal").raw_bounds(context())
    assert low > 0
    assert high == math.inf
    assert Param(map=Map("reciprocal", 2.0), min=0.5).raw_bounds(context())[1] == 4.0


def test_no_bounds_are_infinite():
    assert Param().bounds(context()) == (-math.inf, math.inf)
    assert Param(map="exp").raw_bounds(context()) == (-math.inf, math.inf)


def test_bounds_and_rates_may_depend_on_the_canvas_and_the_count():
    here = context(count=50, width=40, height=20)
    assert Param(min=pixels(1 / 3)).bounds(here)[0] == pytest.approx(0.1 / 3)
    spacing = math.sqrt(8 / 50)
    assert Param(lr=rates.per_spacing(0.5)).rate(here) == pytest.approx(0.5 * spacing)
    assert Param(lr=rates.per_count(0.01)).rate(here) == pytest.approx(0.5)
    assert Param(lr=0.3).rate(here) == 0.3


def test_replacing_changes_only_what_is_named():
    param = Param(2, init=1.0, lr=0.5, map="exp", min=0.1, max=2.0)
    changed = param.replaced(lr=0.1, map=Map("tanh"))
    assert (changed.shape, changed.lr, changed.min, changed.max) == ((2,), 0.1, 0.1, 2.0)
    assert changed.init is param.init
    assert changed.map == Map("tanh")
    assert param.lr == 0.5
    assert param.replaced(init=3.0).init(context(), (2, 5)).unique().tolist() == [3.0]


def test_what_dataclasses_would_replace_is_told_the_way():
    """The hint was other keywords: the shape has none."""
    with pytest.raises(TypeError, match=r"no keyword 'shape': .* param\.replaced\(lr=0\.1\)"):
        dataclasses.replace(Param(2), lr=0.1)


def test_params_are_attributes_and_name_what_is_declared():
    p = Params({"scale": torch.ones(2), "angle": torch.zeros(1)})
    assert p.scale.tolist() == [1.0, 1.0]
    with pytest.raises(AttributeError, match="no parameter 'sclae'; declared: angle, scale"):
        _ = p.sclae


# ---- initial values ------------------------------------------------------------------------------


def photo(width=40, height=20):
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    ("start", "shape"),
    [
        (init.constant(2.5), (50,)),
        (init.uniform(-1, 3), (4, 50)),
        (init.normal(0.5, mean=2.0), (50,)),
        (init.from_spacing(0.5), (50,)),
        (init.from_spacing(0.5), (2, 50)),
        (init.on_detail(), (2, 50)),
        (init.at_target_colour(0.3), (3, 50)),
    ],
    ids=["constant", "uniform", "normal", "from_spacing", "lengths", "on_detail", "at_target"],
)
def test_initial_values_depend_on_the_context_alone(start, shape):
    before = torch.get_rng_state()

    def values(seed):
        here = context(seed=seed, target=photo())
        here.values["xy"] = init.on_detail()(here, (2, 50))
        return start(here, shape)

    first, again, other = values(1), values(1), values(2)
    assert first.shape == shape
    assert first.dtype == torch.float32
    assert torch.isfinite(first).all()
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (first.unique().numel() == 1)
    assert torch.equal(torch.get_rng_state(), before)


def test_distributions():
    here = context()
    flat = init.uniform(-1, 3)(here, (20_000,))
    assert -1 <= flat.min() < -0.99
    assert 2.99 < flat.max() < 3
    bell = init.normal(0.5, mean=2.0)(here, (20_000,))
    assert bell.mean().item() == pytest.approx(2.0, abs=0.02)
    assert bell.std().item() == pytest.approx(0.5, abs=0.02)


def test_positions_are_on_the_canvas_and_where_the_detail_is():
    target = torch.zeros(3, 20, 40)
    target[:, :, 30:32] = 1.0
    here = context(count=4000, target=target)
    x, y = init.on_detail(detail=0.75)(here, (2, 4000))
    assert x.abs().max() <= 2
    assert y.abs().max() <= 1
    # Columns 29 to 32 see the edges: from x = 0.9 to 1.3 in canvas units.
    near = ((x > 0.9) & (x < 1.3)).float().mean().item()
    assert near == pytest.approx(0.75 + 0.25 * 0.1, abs=0.03)


def test_positions_keep_away_from_what_the_weight_masks():
    weight = torch.ones(20, 40)
    weight[:, :20] = 0
    x, _ = init.on_detail()(context(count=500, target=photo(), weight=weight), (2, 500))
    assert x.min() >= 0


def test_positions_of_a_flat_target_cover_the_canvas():
    target = torch.full((3, 20, 40), 0.5)
    x, y = init.on_detail(detail=1.0)(context(count=4000, target=target), (2, 4000))
    quarters = (x > 0).long() * 2 + (y > 0).long()
    assert torch.bincount(quarters, minlength=4).min() > 800


def test_colours_are_those_of_the_target_less_the_background():
    target = torch.zeros(3, 20, 40)
    target[0, :, :20], target[2, :, 20:] = 1.0, 0.5
    here = context(count=2, target=target, background=(0.25, 0.0, 0.0))
    here.values["xy"] = torch.tensor([[-1.0, 1.0], [0.0, 0.5]])
    colours = init.at_target_colour(2.0)(here, (3, 2))
    assert colours.t().tolist() == [[1.5, 0.0, 0.0], [-0.5, 0.0, 1.0]]


def test_spacing_follows_the_distance_of_neighbours():
    # Two grids of 5 × 5, one four times as dense.
    grid = torch.stack(torch.meshgrid(torch.arange(5.0), torch.arange(5.0), indexing="ij"))
    fine, coarse = 0.1 * grid.flatten(1) - 1.5, 0.4 * grid.flatten(1) + 0.1
    here = context(count=50, width=400, height=200)
    here.values["xy"] = torch.cat([fine, coarse], dim=1)
    spacing = here.spacing
    assert spacing.shape == (50,)
    ratio = (spacing[25:].mean() / spacing[:25].mean()).item()
    assert ratio == pytest.approx(4.0, rel=0.05)
    assert spacing[25:].min() > 0.4


def test_spacing_of_coinciding_parts_has_a_floor():
    here = context(count=9, width=400, height=200)
    here.values["xy"] = torch.zeros(2, 9)
    assert here.spacing.min().item() == pytest.approx(0.5 * here.canvas.pixel)


def test_spacing_of_a_few_parts_is_the_mean_one():
    here = context(count=2)
    here.values["xy"] = torch.zeros(2, 2)
    assert here.spacing.tolist() == pytest.approx([2.0, 2.0])
