"""Drawing against naive dense formulas: blends, cut-off, gradients, and what must not matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from artgen import Canvas, Drawing, Field, Param, Splat, option
from artgen.errors import PluginError, UsageError
from artgen.primitives import Params
from artgen.raster import choose_backend, draw, paint
from artgen.raster.backend import Memory
from artgen.raster.sampling import cut_rows, cut_strips

BLENDS = ["sum", "mean", "normalized", "depth", "over"]
BACKGROUND = (0.2, 0.4, 0.9)

every_blend = pytest.mark.parametrize("blend", BLENDS)
DOUBLE = torch.float64


class Dab(Splat):
    """An anisotropic soft dab, cut where it still weighs 0.1, so that a wrong cut shows."""

    @dataclass(frozen=True)
    class Options:
        blend: Literal["sum", "mean", "normalized", "depth", "over"] = option("sum", "the blend")

    params = {"scale": Param(2, init=0.2), "angle": Param()}

    @property
    def blend(self):
        return self.options.blend

    def footprint(self, dx, dy, p):
        c, s = torch.cos(p.angle), torch.sin(p.angle)
        u, v = (c * dx + s * dy) / p.scale[0], (c * dy - s * dx) / p.scale[1]
        return torch.exp(-(u * u + v * v))

    def radius(self, p):
        return 1.5 * p.scale.amax(0)


class Oval(Dab):
    """The same, cut where it weighs 0.1 all around."""

    def ellipse(self, p):
        return 1.5 * p.scale[0], 1.5 * p.scale[1], p.angle


class Tanh(Dab):
    """The same place and shape, but -1 far away."""

    far = -1.0

    def footprint(self, dx, dy, p):
        return torch.tanh(1 - torch.hypot(dx / p.scale[0], dy / p.scale[1]))


def scene(count=20, seed=0, dtype=DOUBLE, reach=1.2, scale=(0.05, 0.5)):
    """Random tensors with everything any blend needs; colours may be negative."""
    rng = torch.Generator().manual_seed(seed)

    def uniform(low, high, *shape):
        return low + (high - low) * torch.rand(*shape, generator=rng, dtype=dtype)

    return {
        "xy": uniform(-reach, reach, 2, count),
        "scale": uniform(*scale, 2, count),
        "angle": uniform(0, 3, count),
        "colour": uniform(-1, 1.5, 3, count),
        "z": uniform(0, 8, count),
        "opacity": uniform(0.1, 1, count),
    }


def needed(splat, tensors):
    return {name: tensors[name] for name in splat.parameters()}


def weights(splat, tensors, canvas, cut):
    """w [N, height, width] by definition: `far` outside the ellipse, pixel by pixel."""
    x = (2 * torch.arange(canvas.width, dtype=DOUBLE) + 1 - canvas.width) * canvas.pixel / 2
    y = (2 * torch.arange(canvas.height, dtype=DOUBLE) + 1 - canvas.height) * canvas.pixel / 2
    p = Params({name: tensor[..., None, None] for name, tensor in tensors.items()})
    dx = x[None, None, :] - tensors["xy"][0][:, None, None]
    dy = y[None, :, None] - tensors["xy"][1][:, None, None]
    dx, dy = torch.broadcast_tensors(dx, dy)
    weight = splat.footprint(dx, dy, p).expand(dx.shape)
    axes = splat.ellipse(Params(tensors))
    along, across, angle = (value.expand(len(dx))[:, None, None] for value in axes)
    u, v = dx * angle.cos() + dy * angle.sin(), dy * angle.cos() - dx * angle.sin()
    inside = torch.where(along > 0, (u / along) ** 2, 0) + (v / across) ** 2 <= 1
    return torch.where(inside, weight, splat.far) if cut else weight


def dense(splat, tensors, canvas, cut=True, transparent=False):
    """The blends as they are documented, in one big tensor or one loop."""
    tensors = {name: tensor.to(DOUBLE) for name, tensor in tensors.items()}
    w = weights(splat, tensors, canvas, cut)
    colour = tensors["colour"]
    background = torch.tensor(BACKGROUND, dtype=DOUBLE)[:, None, None]
    if splat.blend == "sum":
        return background + torch.einsum("nhw,cn->chw", w, colour)
    if splat.blend == "mean":
        return background + torch.einsum("nhw,cn->chw", w, colour) / len(w)
    if splat.blend == "over":
        return composite(w, tensors, transparent)
    if splat.blend == "depth":
        w = w * torch.exp(-tensors["z"])[:, None, None]
    total = torch.einsum("nhw,cn->chw", w, colour)
    return (1e-3 * background + total) / (1e-3 + w.sum(0))


def composite(w, tensors, transparent):
    """Alpha compositing front to back (Porter and Duff 1984), one pixel and one splat at a time."""
    height, width = w.shape[1:]
    picture = torch.zeros(4 if transparent else 3, height, width, dtype=DOUBLE)
    order = tensors["z"].argsort().tolist()
    for row in range(height):
        for column in range(width):
            seen, clear = torch.zeros(3, dtype=DOUBLE), 1.0
            for i in order:
                alpha = min(float(tensors["opacity"][i] * w[i, row, column]), 0.999)
                if clear >= 1e-4:
                    seen = seen + clear * alpha * tensors["colour"][:, i]
                    clear *= 1 - alpha
            if transparent:
                seen = torch.cat([seen / max(1 - clear, 1e-6), torch.tensor([1 - clear])])
            else:
                seen = seen + clear * torch.tensor(BACKGROUND, dtype=DOUBLE)
            picture[:, row, column] = seen
    return picture


def painted(splat, tensors, canvas, **more):
    return paint(splat, needed(splat, tensors), canvas, background=BACKGROUND, **more)


# ---- the definition ------------------------------------------------------------------------------


@every_blend
@pytest.mark.parametrize(("width", "height"), [(40, 24), (7, 5), (1, 1), (1, 60), (300, 1)])
@pytest.mark.parametrize("kind", [Dab, Oval])
def test_drawing_equals_the_dense_formula(blend, width, height, kind):
    if blend == "over" and width == 40:
        width, height = 20, 12
    splat, tensors, canvas = kind({"blend": blend}), scene(), Canvas(width, height)
    assert (tensors["colour"] < 0).any()
    torch.testing.assert_close(
        painted(splat, tensors, canvas), dense(splat, tensors, canvas), atol=1e-10, rtol=0
    )


@every_blend
def test_single_precision_is_close_to_the_dense_formula(blend):
    splat, tensors, canvas = Dab({"blend": blend}), scene(dtype=torch.float32), Canvas(12, 17)
    image = painted(splat, tensors, canvas)
    assert image.dtype == torch.float32
    torch.testing.assert_close(image.double(), dense(splat, tensors, canvas), atol=1e-5, rtol=0)


@pytest.mark.parametrize("blend", ["sum", "mean"])
def test_a_footprint_that_is_not_zero_far_away_is_exact(blend):
    splat, tensors, canvas = Tanh({"blend": blend}), scene(), Canvas(40, 24)
    torch.testing.assert_close(
        painted(splat, tensors, canvas), dense(splat, tensors, canvas), atol=1e-10, rtol=0
    )
    # All splats are elsewhere: the picture is the background minus the sum of all colours.
    away = {**tensors, "xy": tensors["xy"] + 50}
    share = 1 if blend == "sum" else len(tensors["z"])
    far = torch.tensor(BACKGROUND, dtype=DOUBLE) - tensors["colour"].sum(1) / share
    torch.testing.assert_close(painted(splat, away, canvas), far[:, None, None].expand(3, 24, 40))


@pytest.mark.parametrize("blend", ["normalized", "depth", "over"])
def test_blends_that_need_zero_far_away_refuse_anything_else(blend):
    splat = Tanh({"blend": blend})
    with pytest.raises(PluginError, match=f"blend '{blend}' needs far = 0, but Tanh has far = -1"):
        painted(splat, scene(), Canvas(8, 8))


@settings(max_examples=25)
@given(
    count=st.integers(1, 30),
    seed=st.integers(0, 1000),
    width=st.integers(1, 50),
    height=st.integers(1, 50),
    blend=st.sampled_from(["sum", "mean", "normalized", "depth"]),
    side=st.sampled_from([8, 16, 32, 64]),
    evaluations=st.sampled_from([64, 4096, 1 << 18]),
)
def test_drawing_equals_the_dense_formula_whatever_the_pieces(
    count, seed, width, height, blend, side, evaluations
):
    splat, canvas = Dab({"blend": blend}), Canvas(width, height)
    tensors = scene(count, seed, scale=(0.01, 1.5))
    image = painted(splat, tensors, canvas, tile_side=side, memory=Memory(evaluations))
    torch.testing.assert_close(image, dense(splat, tensors, canvas), atol=1e-9, rtol=1e-9)


def test_the_order_of_splats_does_not_matter_unless_it_is_depth():
    canvas, tensors = Canvas(20, 20), scene()
    order = torch.randperm(20, generator=torch.Generator().manual_seed(1))
    shuffled = {name: tensor[..., order] for name, tensor in tensors.items()}
    for blend in BLENDS:
        splat = Dab({"blend": blend})
        torch.testing.assert_close(
            painted(splat, shuffled, canvas), painted(splat, tensors, canvas)
        )


# ---- what must not matter ------------------------------------------------------------------------


@every_blend
def test_pictures_and_gradients_depend_neither_on_tiles_nor_on_memory(blend):
    splat, canvas = Dab({"blend": blend}), Canvas(70, 45)

    def run(side, memory):
        tensors = {
            name: tensor.requires_grad_() for name, tensor in needed(splat, scene(60)).items()
        }
        image = paint(splat, tensors, canvas, memory=memory, tile_side=side)
        (image * torch.linspace(0, 1, 70, dtype=DOUBLE)).square().sum().backward()
        return image.detach(), {name: tensor.grad for name, tensor in tensors.items()}

    image, gradients = run(16, Memory())
    assert (gradients["xy"] != 0).all(0).sum() > 30
    for side, memory in [(8, Memory()), (32, Memory()), (64, Memory(4096)), (None, Memory(64))]:
        other_image, other_gradients = run(side, memory)
        torch.testing.assert_close(other_image, image, atol=1e-12, rtol=0)
        for name, gradient in gradients.items():
            # The order is piecewise constant: z of `over` learns nothing from its picture.
            if gradient is None:
                assert (blend, name) == ("over", "z")
                continue
            torch.testing.assert_close(other_gradients[name], gradient, atol=1e-9, rtol=1e-9)


@every_blend
def test_a_larger_picture_shows_the_same_averaged(blend):
    splat, tensors = Dab({"blend": blend}), scene(40, scale=(0.3, 0.6))
    small = painted(splat, tensors, Canvas(48, 32))
    large = painted(splat, tensors, Canvas(96, 64))
    averaged = torch.nn.functional.avg_pool2d(large, 2)
    assert (averaged - small).abs().mean() < 0.01
    # Every third pixel centre of a picture three times as large is one of the small picture's.
    finer = painted(splat, tensors, Canvas(144, 96))
    torch.testing.assert_close(finer[:, 1::3, 1::3], small, atol=1e-9, rtol=0)


@every_blend
def test_memory_bounds_how_many_footprints_are_evaluated_at_a_time(blend):
    sizes = []

    class Watched(Dab):
        def footprint(self, dx, dy, p):
            weight = super().footprint(dx, dy, p)
            sizes.append(weight.numel())
            return weight

    tensors, canvas = scene(200, scale=(0.5, 1.0)), Canvas(64, 64)
    painted(Watched({"blend": blend}), tensors, canvas, memory=Memory(4096), tile_side=16)
    assert max(sizes) <= 4096
    assert sum(sizes) > 20 * 4096


def test_memory_shrinks_but_never_to_nothing():
    assert Memory(1 << 18).shrunk(0.5) == Memory(1 << 17)
    assert Memory(1 << 12).shrunk(0.5).evaluations >= 1 << 12


# ---- odd splats ----------------------------------------------------------------------------------


@every_blend
def test_splats_that_cannot_be_drawn_leave_the_rest_alone(blend):
    splat, canvas = Dab({"blend": blend}), Canvas(20, 12)
    good = scene(6)
    odd = {name: tensor.clone() for name, tensor in scene(6, seed=1).items()}
    odd["xy"][0, 0] = torch.nan
    odd["xy"][1, 1] = torch.inf
    odd["scale"][0, 2] = torch.nan
    odd["scale"][:, 3] = -1.0
    odd["xy"][:, 4] = 1e30
    odd["xy"][:, 5] = -7.0
    both = {name: torch.cat([good[name], odd[name]], dim=-1) for name in good}
    leaves = {name: tensor.requires_grad_() for name, tensor in needed(splat, both).items()}
    image = paint(splat, leaves, canvas, background=BACKGROUND)
    alone = painted(splat, good, canvas)
    if blend == "mean":
        background = torch.tensor(BACKGROUND, dtype=DOUBLE)[:, None, None]
        image = background + 2 * (image - background)
    torch.testing.assert_close(image, alone)
    image.sum().backward()
    assert leaves["xy"].grad[:, 6:].eq(0).all()
    assert torch.isfinite(leaves["xy"].grad).all()
    assert torch.isfinite(leaves["scale"].grad).all()


def test_a_radius_of_zero_draws_at_most_the_pixel_it_is_centred_on():
    class Dot(Dab):
        def footprint(self, dx, dy, p):
            return torch.ones_like(dx) + 0 * dy

        def radius(self, p):
            return torch.zeros(2, dtype=DOUBLE)

    tensors = scene(2)
    tensors["xy"] = torch.tensor([[0.0, 0.1], [0.0, 0.1]], dtype=DOUBLE)
    image = paint(Dot(), needed(Dot(), tensors), Canvas(9, 9))
    assert image.abs().sum(0).nonzero().tolist() == [[4, 4]]
    torch.testing.assert_close(image[:, 4, 4], tensors["colour"][:, 0])


@pytest.mark.parametrize("radius", [150.0, 1e12, torch.inf])
def test_a_huge_splat_is_drawn_from_wherever_it_is(radius):
    class Sheet(Dab):
        def footprint(self, dx, dy, p):
            return torch.ones_like(dx) + 0 * dy

        def radius(self, p):
            return torch.tensor(radius)

    tensors = scene(1)
    tensors["xy"] = torch.tensor([[100.0], [-90.0]], dtype=DOUBLE)
    image = paint(Sheet(), needed(Sheet(), tensors), Canvas(9, 5))
    torch.testing.assert_close(image, tensors["colour"][:, :, None].expand(3, 5, 9))


@every_blend
def test_no_splats_at_all_draw_the_background(blend):
    splat = Dab({"blend": blend})
    image = painted(splat, scene(0), Canvas(5, 3))
    expected = torch.tensor(BACKGROUND, dtype=DOUBLE)[:, None, None].expand(3, 3, 5)
    torch.testing.assert_close(image, expected)


# ---- footprints of all kinds ---------------------------------------------------------------------


FOOTPRINTS = {
    "of dx alone": lambda dx, dy, p: torch.exp(-dx * dx / p.scale[0]),
    "of dy alone": lambda dx, dy, p: torch.exp(-dy * dy / p.scale[1]),
    "constant per splat": lambda dx, dy, p: p.angle,
    "constant": lambda dx, dy, p: torch.ones_like(p.angle),
    "a choice": lambda dx, dy, p: torch.where(dx > dy, p.scale[0], p.scale[1] * dx),
    "of the direction": lambda dx, dy, p: torch.atan2(dy, dx).sin() + p.angle,
    "of the distance": lambda dx, dy, p: torch.relu(1 - torch.hypot(dx, dy) / p.scale[0]),
}


@pytest.mark.parametrize("footprint", FOOTPRINTS.values(), ids=FOOTPRINTS)
@pytest.mark.parametrize("blend", ["sum", "over"])
def test_footprints_of_any_shape_broadcast(footprint, blend):
    kind = type("Odd", (Dab,), {"footprint": lambda self, dx, dy, p: footprint(dx, dy, p) / 4})
    splat, tensors, canvas = kind({"blend": blend}), scene(8), Canvas(10, 9)
    if blend == "over":
        kind.footprint = lambda self, dx, dy, p: footprint(dx, dy, p).abs() / 8
    torch.testing.assert_close(painted(splat, tensors, canvas), dense(splat, tensors, canvas))
    leaves = {name: tensor.requires_grad_() for name, tensor in needed(splat, tensors).items()}
    paint(splat, leaves, canvas).square().sum().backward()
    assert torch.isfinite(leaves["xy"].grad).all()
    assert (leaves["colour"].grad != 0).any()


@pytest.mark.parametrize("dtype", [DOUBLE, torch.float16])
def test_weights_and_factors_of_colours_may_have_any_dtype(dtype):
    class Shaded(Dab):
        def colours(self, dx, dy, p):
            return (torch.sigmoid(dx),) * 3

    class Other(Shaded):
        def footprint(self, dx, dy, p):
            return super().footprint(dx, dy, p).to(dtype)

        def colours(self, dx, dy, p):
            return tuple(factor.to(dtype) for factor in super().colours(dx, dy, p))

    splat, canvas = Other(), Canvas(10, 9)
    tensors = needed(splat, scene(8, dtype=torch.float32))
    leaves = {name: tensor.requires_grad_() for name, tensor in tensors.items()}
    image = paint(splat, leaves, canvas)
    assert image.dtype == torch.float32
    torch.testing.assert_close(image, paint(Shaded(), leaves, canvas), atol=0.01, rtol=0)
    image.sum().backward()
    assert (leaves["xy"].grad != 0).any()


def test_a_radius_may_be_one_number_for_all():
    class Even(Dab):
        def radius(self, p):
            return torch.tensor(0.4, dtype=DOUBLE)

    splat, tensors, canvas = Even(), scene(8), Canvas(10, 9)
    torch.testing.assert_close(painted(splat, tensors, canvas), dense(splat, tensors, canvas))


def test_a_plugin_may_use_the_names_that_other_blends_add():
    class Named(Dab):
        params = {"scale": Param(2), "z": Param(), "opacity": Param()}

        def footprint(self, dx, dy, p):
            return p.opacity * torch.exp(-(dx * dx + dy * dy) * p.z)

    splat, tensors, canvas = Named(), scene(8), Canvas(10, 9)
    torch.testing.assert_close(painted(splat, tensors, canvas), dense(splat, tensors, canvas))


# ---- gradients -----------------------------------------------------------------------------------


@every_blend
def test_gradients_of_every_tensor_are_those_of_finite_differences(blend):
    splat, canvas = Dab({"blend": blend}), Canvas(7, 5)
    tensors = needed(splat, scene(4, scale=(0.3, 0.9)))
    # The order itself has no gradient.
    names = [name for name in tensors if (blend, name) != ("over", "z")]

    def picture(*values):
        drawn = {**tensors, **dict(zip(names, values, strict=True))}
        return paint(splat, drawn, canvas, background=BACKGROUND, memory=Memory(128), tile_side=8)

    leaves = [tensors[name].clone().requires_grad_() for name in names]
    assert picture(*leaves).dtype == DOUBLE
    assert torch.autograd.gradcheck(picture, leaves)


@pytest.mark.parametrize("blend", ["sum", "mean"])
def test_gradients_with_a_footprint_that_is_not_zero_far_away(blend):
    splat, canvas = Tanh({"blend": blend}), Canvas(7, 5)
    tensors = needed(splat, scene(4, scale=(0.3, 0.9)))
    del tensors["angle"]
    angle = torch.zeros(4, dtype=DOUBLE)

    def picture(*values):
        drawn = dict(zip(tensors, values, strict=True))
        return paint(splat, {**drawn, "angle": angle}, canvas)

    assert torch.autograd.gradcheck(picture, [t.clone().requires_grad_() for t in tensors.values()])


# ---- visibility ----------------------------------------------------------------------------------


def interpolated(cells, canvas):
    """Filters [size, size, N] at every pixel [N, height, width], as an image library does it."""
    planes = cells.permute(2, 0, 1)[None]
    size = (canvas.height, canvas.width)
    resize = torch.nn.functional.interpolate
    return resize(planes, size, mode="bilinear", align_corners=False)[0]


@every_blend
@pytest.mark.parametrize("size", [1, 3])
def test_every_weight_is_multiplied_by_its_filter(blend, size, monkeypatch):
    splat = Dab({"blend": blend, "visibility": "buffer", "visibility_size": size})
    tensors, canvas = scene(8), Canvas(20, 12)
    rng = torch.Generator().manual_seed(1)
    tensors["visibility"] = torch.rand(size, size, 8, generator=rng, dtype=DOUBLE)
    image = painted(splat, tensors, canvas)
    visible, plain = interpolated(tensors["visibility"], canvas), weights
    monkeypatch.setitem(globals(), "weights", lambda *given: plain(*given) * visible)
    torch.testing.assert_close(image, dense(splat, tensors, canvas), atol=1e-10, rtol=0)


def test_a_filter_learns_where_its_part_is_hidden():
    splat = Dab({"visibility": "buffer", "visibility_size": 4})
    tensors, canvas = scene(1, reach=0.1, scale=(0.5, 0.6)), Canvas(16, 16)
    tensors["visibility"] = torch.ones(4, 4, 1, dtype=DOUBLE, requires_grad=True)
    half = painted(splat, tensors, canvas).detach()
    half[:, :, 8:] = torch.tensor(BACKGROUND, dtype=DOUBLE)[:, None, None]
    optimizer = torch.optim.Adam([tensors["visibility"]], lr=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        (painted(splat, tensors, canvas) - half).square().sum().backward()
        optimizer.step()
    learned = tensors["visibility"].detach()[..., 0]
    assert (learned[1:3, 1] > 0.8).all()
    assert (learned[1:3, 2] < 0.3).all()


def test_a_filter_has_to_hide_all_of_a_part():
    splat = Tanh({"visibility": "buffer"})
    tensors = {**scene(2), "visibility": torch.ones(8, 8, 2, dtype=DOUBLE)}
    with pytest.raises(PluginError, match="visibility=buffer needs far = 0"):
        painted(splat, tensors, Canvas(5, 5))


def test_filters_are_drawn_eagerly_and_every_splat_has_them():
    backend = choose_backend(Dab({"visibility": "buffer"}))
    assert (backend.name, backend.reason) == ("eager", "visibility=buffer has no kernel")
    assert "visibility" not in Dab().parameters()
    assert Dab({"visibility": "buffer"}).parameters()["visibility"].shape == (8, 8)


# ---- drawing whole drawings ----------------------------------------------------------------------


def drawing_of(splat, tensors, width=20, height=12):
    single = {name: tensor.float() for name, tensor in needed(splat, tensors).items()}
    return Drawing("dab", splat.option_values(), single, width, height, BACKGROUND)


def test_a_transparent_drawing_has_alpha_and_unmultiplied_colours():
    splat = Dab({"blend": "over"})
    tensors = scene(6, scale=(0.1, 0.3))
    image = draw(drawing_of(splat, tensors), splat, transparent=True)
    expected = dense(splat, tensors, Canvas(20, 12), transparent=True)
    assert image.shape == (4, 12, 20)
    assert (image[3] == 0).any()
    torch.testing.assert_close(image.double(), expected, atol=1e-4, rtol=0)
    # Laid over the background it is the opaque drawing.
    opaque = draw(drawing_of(splat, tensors), splat)
    base = torch.tensor(BACKGROUND)[:, None, None]
    torch.testing.assert_close(image[3:] * image[:3] + (1 - image[3:]) * base, opaque)


@pytest.mark.parametrize("blend", ["sum", "mean", "normalized", "depth"])
def test_other_blends_have_no_transparency(blend):
    splat = Dab({"blend": blend})
    with pytest.raises(UsageError, match="cannot be drawn on a transparent background"):
        draw(drawing_of(splat, scene()), splat, transparent=True)


@pytest.mark.parametrize("transparent", [False, True])
def test_supersampling_averages_a_larger_picture(transparent):
    splat = Dab({"blend": "over"})
    drawing = drawing_of(splat, scene(6, scale=(0.1, 0.3)))
    image = draw(drawing, splat, supersample=3, transparent=transparent)
    large = draw(drawing, splat, Canvas(60, 36), transparent=transparent)
    pool = torch.nn.functional.avg_pool2d
    assert image.shape == (4 if transparent else 3, 12, 20)
    if transparent:
        alpha = pool(large[3:], 3)
        torch.testing.assert_close(image[3:], alpha)
        torch.testing.assert_close(image[:3] * alpha, pool(large[:3] * large[3:], 3))
    else:
        torch.testing.assert_close(image, pool(large, 3))


def test_a_drawing_is_drawn_at_its_own_size_unless_asked_otherwise():
    splat = Dab()
    drawing = drawing_of(splat, scene())
    assert draw(drawing, splat).shape == (3, 12, 20)
    assert draw(drawing, splat, Canvas(5, 3)).shape == (3, 3, 5)
    image = draw(drawing, splat, Canvas(64, 64))
    assert image.dtype == torch.float32
    assert not image.requires_grad
    assert torch.equal(image, draw(drawing, splat, Canvas(64, 64)))


def test_rows_are_cut_without_a_gap():
    assert cut_strips(40) == [(0, 16), (16, 32), (32, 40)]
    assert cut_strips(32, 16) == [(0, 16), (16, 32)]
    pieces = cut_rows(1000)
    assert [row for first, after in pieces for row in range(first, after)] == [*range(1000)]
    assert len(pieces) == 4 * torch.get_num_threads()


class Ramp(Field):
    params = {"weight": Param(3, 2), "bias": Param(3)}

    def forward(self, xy, p):
        return xy @ p.weight.t() + p.bias


@pytest.mark.parametrize(("width", "height"), [(9, 6), (1, 1), (1, 300), (300, 1)])
def test_a_field_is_evaluated_at_pixel_centres_in_strips(width, height):
    canvas = Canvas(width, height)
    tensors = {"weight": torch.tensor([[1.0, 0], [0, 1], [1, 1]]), "bias": torch.zeros(3)}
    whole = paint(Ramp(), tensors, canvas)
    x, y = (torch.from_numpy(centres) for centres in canvas.pixel_centres())
    x, y = x.expand(height, width), y[:, None].expand(height, width)
    torch.testing.assert_close(whole, torch.stack([x, y, x + y]))
    torch.testing.assert_close(paint(Ramp(), tensors, canvas, memory=Memory(1)), whole)


def test_gradients_of_a_field_flow_through_the_strips():
    tensors = {
        "weight": torch.ones(3, 2, dtype=DOUBLE, requires_grad=True),
        "bias": torch.zeros(3, dtype=DOUBLE, requires_grad=True),
    }
    paint(Ramp(), tensors, Canvas(9, 6), memory=Memory(64)).sum().backward()
    assert tensors["bias"].grad.tolist() == [54.0] * 3


def test_only_splats_and_fields_can_be_painted():
    with pytest.raises(PluginError, match="object cannot be painted"):
        paint(object(), {}, Canvas(2, 2))
