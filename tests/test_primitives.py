"""The contracts of primitives: parameters, presets, initial drawings and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pytest
import torch

from artgen import Canvas, Drawing, Field, Param, Preset, Splat, init, option, pixels
from artgen.errors import InputError, PluginError, UsageError
from artgen.init import Context
from artgen.primitives import Map
from artgen.raster import draw


class Disc(Splat):
    @dataclass(frozen=True)
    class Options:
        blend: Literal["sum", "mean", "normalized", "depth", "over"] = option("sum", "the blend")
        soft: float = option(1.0, "softness", low=0)

    presets = {
        "firm": Preset(
            options={"soft": 0.25}, params={"size": {"lr": 0.5, "map": Map("softplus")}}
        ),
        "broken": Preset(params={"sice": {"lr": 0.5}}),
    }
    params = {
        "size": Param(init=init.from_spacing(0.5), min=pixels(1 / 3), lr=0.02, map="exp"),
        "tint": Param(2, init=0.5),
    }

    @property
    def blend(self):
        return self.options.blend

    def footprint(self, dx, dy, p):
        return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))

    def radius(self, p):
        return 3 * p.size


class Wave(Field):
    params = {"weight": Param(3, 2, init=1.0), "bias": Param(3)}

    def forward(self, xy, p):
        return torch.sin(xy @ p.weight.t() + p.bias)


def context(count, width=9, height=6, **more):
    return Context(torch.Generator().manual_seed(0), Canvas(width, height), count, **more)


def drawing_of(primitive, count=4, width=9, height=6):
    return Drawing(
        type(primitive).__name__.lower(),
        primitive.option_values(),
        primitive.initial(context(count, width, height)),
        width,
        height,
    )


@pytest.mark.parametrize(
    ("blend", "added"),
    [
        ("sum", set()),
        ("mean", set()),
        ("normalized", set()),
        ("depth", {"z"}),
        ("over", {"z", "opacity"}),
    ],
)
def test_a_splat_has_centres_colours_and_what_the_blend_adds(blend, added):
    params = Disc({"blend": blend}).parameters()
    assert next(iter(params)) == "xy"
    assert set(params) == {"xy", "colour", "size", "tint"} | added
    tensors = Disc({"blend": blend}).initial(context(5))
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == {
        "xy": (2, 5),
        "colour": (3, 5),
        "size": (5,),
        "tint": (2, 5),
        **dict.fromkeys(added, (5,)),
    }
    if "z" in added:
        assert ((tensors["z"] > 0) & (tensors["z"] < 8)).all()


def test_a_splat_may_redefine_centres_and_colours():
    class Still(Disc):
        params = {
            "size": Param(init=init.from_spacing(1.0)),
            "xy": Param(2, init=0.25, lr=0.0),
            "colour": Param(3, init=-1.0),
        }

    params = Still().parameters()
    assert list(params) == ["xy", "size", "colour"]
    assert params["xy"].lr == 0.0
    assert Still().initial(context(3))["colour"].unique().tolist() == [-1.0]


def test_a_field_has_its_parameters_as_declared():
    tensors = Wave().initial(context(1))
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == {
        "weight": (3, 2),
        "bias": (3,),
    }


@pytest.mark.parametrize("blend", ["sum", "depth", "over"])
@pytest.mark.parametrize(
    ("width", "height", "count"), [(1, 1, 1), (7, 5, 1), (64, 64, 9), (1, 300, 2)]
)
def test_initial_values_are_finite_and_inside_their_bounds(blend, width, height, count):
    before = torch.get_rng_state()
    here = context(
        count, width, height, target=torch.rand(3, height, width, generator=torch.Generator())
    )
    primitive = Disc({"blend": blend})
    tensors = primitive.initial(here)
    for name, param in primitive.parameters().items():
        low, high = param.bounds(here)
        assert torch.isfinite(tensors[name]).all()
        assert tensors[name].dtype == torch.float32
        assert low <= tensors[name].min()
        assert tensors[name].max() <= high
    assert torch.equal(torch.get_rng_state(), before)


def test_the_floor_of_a_length_is_in_pixels_of_the_fitting_size():
    class Tiny(Disc):
        params = {"size": Param(init=0.0, min=pixels(1 / 3))}

    assert Tiny().initial(context(3, 300, 200))["size"].tolist() == pytest.approx([0.01 / 3] * 3)


def test_an_init_of_the_wrong_shape_is_refused():
    class Broken(Disc):
        params = {"size": Param(init=lambda context, shape: torch.ones(2, 2))}

    with pytest.raises(PluginError, match=r"Broken\.size .* gave \[2, 2\], not a tensor \[4\]"):
        Broken().initial(context(4))


# ---- options and presets -------------------------------------------------------------------------


def test_options_are_checked_and_stored_completely():
    always = {"visibility": "full", "visibility_size": 8}
    assert Disc().option_values() == {"blend": "sum", "soft": 1.0, **always}
    assert Disc({"soft": 2}).options.soft == 2.0
    with pytest.raises(UsageError, match="Disc has no option 'sofd'"):
        Disc({"sofd": 2})
    with pytest.raises(UsageError, match=r"soft must be .*, got -1"):
        Disc({"soft": -1})


def test_a_preset_lies_under_the_options_and_over_the_parameters():
    plain, firm = Disc(), Disc(preset="firm")
    assert firm.options.soft == 0.25
    assert Disc({"soft": 2.0}, preset="firm").options.soft == 2.0
    assert firm.parameters()["size"].lr == 0.5
    assert firm.parameters()["size"].map == Map("softplus")
    assert firm.parameters()["size"].min == plain.parameters()["size"].min
    assert plain.parameters()["size"].lr == 0.02


def test_an_unknown_preset_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match="Disc has no preset 'film'") as caught:
        Disc(preset="film")
    assert "firm" in caught.value.hint


def test_a_preset_of_an_unknown_parameter_is_refused():
    with pytest.raises(PluginError, match=r"preset of Disc .*sets no parameter 'sice'"):
        Disc(preset="broken").parameters()


# ---- drawings ------------------------------------------------------------------------------------


def test_a_drawing_is_immutable_and_knows_its_size():
    drawing = drawing_of(Disc())
    assert drawing.canvas == Canvas(9, 6)
    assert drawing.parameters == 4 * (2 + 3 + 1 + 2)
    with pytest.raises(TypeError):
        drawing.tensors["xy"] = torch.zeros(2, 4)
    with pytest.raises(AttributeError):
        drawing.width = 3


def test_a_detached_drawing_shares_nothing():
    tensors = {"weight": torch.ones(3, requires_grad=True)}
    drawing = Drawing("wave", {}, tensors, 2, 2)
    copy = drawing.detach()
    with torch.no_grad():
        tensors["weight"].fill_(5)
    assert copy.tensors["weight"].tolist() == [1.0, 1.0, 1.0]
    assert not copy.tensors["weight"].requires_grad


def test_parts_are_counted():
    assert Disc().count_of(drawing_of(Disc(), count=7)) == 7
    assert Wave().count_of(drawing_of(Wave())) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"size": torch.ones(3)}, r"size \[3\], size \[4\]"),
        ({"size": None}, r"size \[4\]"),
        ({"sice": torch.ones(4)}, r"sice \[4\]"),
        ({"xy": torch.ones(3, 4)}, r"xy \[2, 4\], xy \[3, 4\]"),
        ({"xy": None}, "does not hold the parameters of disc"),
        ({"xy": torch.tensor(1.0)}, "does not hold the parameters of disc"),
        ({"tint": torch.full((2, 4), torch.nan)}, "holds NaN or infinite values"),
        ({"colour": torch.full((3, 4), torch.inf)}, "holds NaN or infinite values"),
    ],
)
def test_drawings_that_are_not_the_primitives_are_refused(change, says):
    drawing = drawing_of(Disc())
    tensors = {**drawing.tensors, **change}
    kept = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    with pytest.raises(InputError, match=says):
        draw(replace(drawing, tensors=kept), Disc())


def test_constant_is_a_number_or_an_init():
    assert Param(init=0.5).init(context(3), (3,)).tolist() == [0.5] * 3
    assert Param(init=init.constant(0.5)).init(context(3), (3,)).tolist() == [0.5] * 3
