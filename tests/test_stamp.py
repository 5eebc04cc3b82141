"""Textures that footprints look up, and the stamps made of them."""

from __future__ import annotations

import base64
import io
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image
from test_compiled import BACKGROUND, drawn, scene
from test_targets import swapped_profile

import artgen
from artgen import Canvas, Param, Splat
from artgen.animation.morph import morph
from artgen.art import ExportRequest
from artgen.compiler.record import trace
from artgen.errors import InputError, PluginError, UsageError
from artgen.exporters import export_svg
from artgen.primitives import Texture, read_coverage, read_rgba
from artgen.primitives.texture import picture_text
from artgen.raster import EAGER, choose_backend, paint
from artgen_plugins.stamp import SIDE, Stamp

DOUBLE = torch.float64
WIDER = 3**0.5
"""How much wider the square is whose average a texel stands for, when it is interpolated."""


@pytest.fixture(scope="module")
def texture():
    return Texture(np.random.default_rng(0).random((2, 16, 16)))


def centres(side):
    """Positions of texels, rows and columns, from -1 to 1."""
    steps = (2 * torch.arange(side, dtype=DOUBLE) + 1) / side - 1
    return torch.meshgrid(steps, steps, indexing="ij")


@pytest.mark.parametrize("step", [1, 2, 4, 16])
@pytest.mark.parametrize("which", [0, 1])
def test_a_blurred_sample_is_the_mean_of_the_area(texture, step, which):
    side = 16 // step
    v, u = centres(side)
    found = texture.sample(u, v, torch.tensor(WIDER * 2 * step / 16), which + 0.4)
    blocks = texture.pictures[which].reshape(side, step, side, step).mean(axis=(1, 3))
    np.testing.assert_allclose(found, blocks, atol=1e-5)


def test_between_texels_and_resolutions_it_is_linear_and_outside_zero(texture):
    v, u = centres(16)
    between = texture.sample(u[:, :-1] + 1 / 16, v[:, :-1], torch.tensor(0.0))
    mean = (texture.pictures[0][:, 1:] + texture.pictures[0][:, :-1]) / 2
    np.testing.assert_allclose(between, mean, atol=1e-5)
    fine, coarse = (texture.sample(u, v, torch.tensor(WIDER * b)) for b in (2 / 16, 4 / 16))
    half = texture.sample(u, v, torch.tensor(WIDER * 2**1.5 / 16, dtype=DOUBLE))
    np.testing.assert_allclose(half, (fine + coarse) / 2, atol=1e-5)
    assert not texture.sample(
        torch.tensor([-1.07, 1.07, 9e9]), torch.zeros(3), torch.tensor(0.0)
    ).any()


def test_its_gradient_is_that_of_finite_differences(texture):
    rng = torch.Generator().manual_seed(2)
    u, v = (1.9 * torch.rand(2, 40, generator=rng, dtype=DOUBLE) - 0.95).requires_grad_()
    blur = (0.05 + 0.6 * torch.rand(40, generator=rng, dtype=DOUBLE)).requires_grad_()
    assert torch.autograd.gradcheck(lambda *at: texture.sample(*at, 1), (u, v, blur), eps=1e-7)


def test_bad_textures_are_refused(texture):
    for shape in ((4, 4), (1, 4, 8), (1, 12, 12), (0, 4, 4), (1, 4, 4, 3)):
        with pytest.raises(ValueError, match="texture"):
            Texture(np.zeros(shape))
    again = Texture.from_text(texture.text)
    np.testing.assert_allclose(again.pictures, texture.pictures, atol=0.5 / 255)
    odd = [picture_text(np.zeros(shape)) for shape in ((3, 3), (4, 6))]
    for damaged in ("data:image/png;base64,%", "data:image/png;base64,AAAA", *odd):
        with pytest.raises(InputError, match="stored"):
            Texture.from_text(damaged)
    with pytest.raises(InputError, match="a stored stamp is 256 pixels high, not 4"):
        Stamp({"stamp": picture_text(np.ones((4, 8)))})


# Each has kernels of its own, for seconds: by day every blend and every kind of colours once, with
# those that other tests need too.
@pytest.mark.parametrize(
    ("blend", "colours"),
    [
        ("over", "flat"),
        ("sum", "own"),
        pytest.param("over", "own", marks=pytest.mark.nightly),
        pytest.param("sum", "flat", marks=pytest.mark.nightly),
    ],
)
def test_kernels_draw_what_plain_torch_draws(blend, colours):
    options = {"stamp": "leaf,flower", "blend": blend, "colours": colours}
    stamp, canvas = Stamp(options), Canvas(40, 23)
    backend = choose_backend(stamp, asked="compiled")
    tensors = scene(stamp, canvas)
    image, gradients = drawn(stamp, tensors, canvas, backend)
    expected, wanted = drawn(stamp, tensors, canvas, EAGER, DOUBLE)
    assert float((image - expected).abs().max()) < 1e-5
    assert image.std() > 0.01 < abs(float(image[2].mean()) - BACKGROUND[2])
    for name, want in wanted.items():
        if want is not None:
            limit = 1e-4 * float(want.abs().max()) + 1e-6
            assert float((gradients[name] - want).abs().max()) <= limit, name
    assert not gradients["which"].any()


@pytest.mark.parametrize("colours", ["flat", "own"])
def test_kernels_are_the_same_for_other_stamps(colours):
    options = {"colours": colours}
    first, second = (trace(Stamp({"stamp": name, **options})) for name in ("leaf", "dab"))
    assert first.values == second.values
    assert len(first.table) == len(second.table)
    assert not np.array_equal(first.table, second.table)


def test_a_drawing_holds_its_stamps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cover = np.zeros((9, 7), np.uint8)
    cover[2:6, 3:5] = 200
    rgba = np.dstack([np.full((9, 7, 3), 90, np.uint8), cover])
    Image.fromarray(rgba).save("dot.png")
    picture = np.random.default_rng(1).random((12, 16, 3))
    made = artgen.fit(
        picture, "stamp", count=5, steps=3, seed=1, backend="eager", stamp="dot.png,leaf"
    )
    made.save("made.art")
    with pytest.raises(UsageError) as refused:
        morph(made, artgen.fit(picture, "stamp", count=5, steps=1, backend="eager"))
    assert refused.value.message == "the drawings differ in stamp"
    (tmp_path / "dot.png").unlink()
    again = artgen.load("made.art")
    assert np.array_equal(again.render(40), made.render(40))
    assert "dot.png" not in again.drawing.options["stamp"]


def test_four_channels_are_sampled_like_four_pictures():
    pictures = np.random.default_rng(3).random((2, 16, 16, 4))
    together, (v, u) = Texture(pictures), torch.rand(2, 30) * 2.4 - 1.2
    blur = 0.1 + torch.rand(30)
    apart = [Texture(pictures[..., c]).sample(u, v, blur, 1) for c in range(4)]
    torch.testing.assert_close(together.sample(u, v, blur, 1), torch.stack(apart))
    again = Texture.from_text(together.text)
    np.testing.assert_allclose(again.pictures, pictures, atol=0.5 / 255)


def drawn_once(stamp, size, tint):
    """One copy in the middle over white, [3, size, size], with half a side of 0.7."""
    tensors = {name: tensor.clone() for name, tensor in scene(stamp, Canvas(9, 9), 1).items()}
    tensors |= {"xy": torch.zeros(2, 1), "size": torch.tensor([0.7]), "angle": torch.zeros(1)}
    tensors |= {"colour": torch.tensor(tint)[:, None], "opacity": torch.ones(1)}
    white = (1.0, 1.0, 1.0)
    return paint(stamp, tensors, Canvas(size, size), background=white, backend=EAGER).numpy()


def test_a_small_picture_of_a_stamp_is_near_the_mean_of_a_large_one():
    stamp, tint = Stamp(), [0.0, 0.0, 0.0]
    small, large = drawn_once(stamp, 48, tint)[0], drawn_once(stamp, 480, tint)[0]
    gap = np.abs(small - large.reshape(48, 10, 48, 10).mean(axis=(1, 3)))
    # If the blur of interpolation did not count, these would be 0.21 and 0.007.
    assert gap.max() < 0.15
    assert gap.mean() < 0.004


def test_own_colours_are_multiplied_by_the_tint_and_have_no_dark_edges(tmp_path):
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[4:36, 4:36] = 255, 128, 0, 255
    Image.fromarray(rgba).save(tmp_path / "orange.png")
    stamp = Stamp({"stamp": str(tmp_path / "orange.png"), "colours": "own"})
    red, green, blue = drawn_once(stamp, 33, [1.0, 0.5, 1.0])
    # Under `over`, alpha is at most 0.999.
    np.testing.assert_allclose([c[16, 16] for c in (red, green, blue)], [1, 64 / 255, 0], atol=2e-3)
    # Red is 1 in the stamp and behind it, so it is everywhere.
    assert red.min() > 0.999
    assert 0.1 < blue.mean() < 0.9
    flat = Stamp({"stamp": Texture(stamp._stored).text})
    np.testing.assert_allclose(drawn_once(flat, 33, [1.0, 0.0, 0.0])[2], blue, atol=1e-5)


def test_a_copy_gets_the_stamp_that_suits_its_place(tmp_path):
    for name, colour in (("red", (200, 30, 20)), ("blue", (20, 40, 200))):
        Image.new("RGB", (8, 8), colour).save(tmp_path / f"{name}.png")
    target = np.zeros((16, 32, 3), np.float32)
    target[:, :16], target[:, 16:] = (0.7, 0.1, 0.1), (0.1, 0.1, 0.7)
    files = f"{tmp_path / 'red.png'},{tmp_path / 'blue.png'}"
    options = {"count": 12, "steps": 1, "backend": "eager", "stamp": files, "colours": "own"}
    tensors = artgen.fit(target, "stamp", **options, tint=0.2).drawing.tensors
    assert ((tensors["colour"] - 1).abs() < 0.2001).all()
    x, which = tensors["xy"][0], tensors["which"]
    clear = x.abs() > 0.2
    assert clear.sum() > 2
    assert torch.equal(which[clear] > 1, x[clear] > 0)


def art_of(count=5, **options):
    picture = np.random.default_rng(1).random((12, 16, 3))
    given = {"steps": 1, "seed": 1, "backend": "eager", "stamp": "dab,flower"}
    return artgen.fit(picture, "stamp", count=count, **given, **options)


@pytest.mark.parametrize("colours", ["flat", "own"])
def test_svg_has_an_image_for_each_stamp_and_a_use_for_each_copy(colours):
    art = art_of(colours=colours)
    root = ElementTree.fromstring(export_svg(art, ExportRequest(size=160)))
    space, tensors = "{http://www.w3.org/2000/svg}", art.drawing.tensors
    uses, images = list(root.iter(f"{space}use")), list(root.iter(f"{space}image"))
    which = tensors["which"].int().tolist()
    assert {image.get("id") for image in images} == {f"s{number}" for number in which}
    data = images[-1].get("href").removeprefix("data:image/png;base64,")
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) / 255
    stored = art.primitive()._stored[max(which)]
    alpha, colour = (stored, 1) if colours == "flat" else (stored[..., 3], stored[..., :3])
    np.testing.assert_allclose(shown[..., 3], alpha, atol=1e-6)
    np.testing.assert_allclose(shown[..., :3] - colour, 0, atol=1e-6)
    matrices = {each.get("id"): each[0].get("values") for each in root.iter(f"{space}filter")}
    nearest_last = tensors["z"].argsort(descending=True).tolist()
    for use, i in zip(uses, nearest_last, strict=True):
        assert use.get("href") == f"#s{which[i]}"
        size, angle = tensors["size"][i].item(), tensors["angle"][i].item()
        c, s = size * np.cos(angle), size * np.sin(angle)
        found = use.get("transform").removeprefix("matrix(").removesuffix(")").split()
        expected = [c, s, -s, c, *tensors["xy"][:, i].tolist()]
        np.testing.assert_allclose(np.array(found, float), expected, atol=1e-3)
        values = matrices[use.get("filter").removeprefix("url(#").removesuffix(")")]
        tint = np.array(values.split(), float).reshape(4, 5)
        expected = np.diag([*tensors["colour"][:, i].tolist(), tensors["opacity"][i].item()])
        np.testing.assert_allclose(tint[:, :4], expected, atol=1e-4)


def test_what_files_of_vectors_cannot_hold_is_refused(tmp_path):
    art = art_of(blend="depth")
    with pytest.raises(UsageError, match="SVG can only lay the parts of stamp over one another"):
        export_svg(art, ExportRequest())
    with pytest.raises(UsageError, match="cannot be written as PDF"):
        art_of().save(tmp_path / "stamps.pdf")


class Striped(Splat):
    """A disc with a colour of its own, and whatever a test says."""

    params = {"size": Param(init=0.4, lr=0.1)}

    def footprint(self, dx, dy, p):
        return torch.exp(-(dx * dx + dy * dy) / p.size**2)

    def colours(self, dx, dy, p):
        return dx, dx, dx.expand(2, *dx.shape)

    def radius(self, p):
        return 2.6 * p.size


def test_colours_that_a_kernel_or_torch_cannot_draw_are_refused():
    splat, canvas = Striped(), Canvas(9, 9)
    assert "colours gives a tensor of shape [2]" in choose_backend(splat).reason
    with pytest.raises(PluginError, match=r"colours of Striped .* gave a tensor"):
        paint(splat, scene(splat, canvas), canvas)
    for changes, problem in (
        ({"colours": lambda self, dx, dy, p: dx}, "not three tensors"),
        ({"far": 0.5, "colours": lambda self, dx, dy, p: (dx, dx, dy)}, "needs far = 0"),
    ):
        wrong = type("Wrong", (Striped,), changes)()
        assert problem in choose_backend(wrong).reason
        with pytest.raises(PluginError, match=problem):
            paint(wrong, scene(wrong, canvas), canvas)


def test_a_drawing_on_opaque_paper_is_its_darkness_at_any_aspect(tmp_path):
    """An empty row below it made it transparent paper, so the stamp was a plain rectangle."""
    for width, height in ((300, 100), (300, 110), (7, 3)):
        file = tmp_path / f"{width}.svg"
        file.write_text(
            f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
            <rect width="{width}" height="{height}" fill="#fff"/>
            <rect x="{width / 4}" width="{width / 8}" height="{height}"/></svg>"""
        )
        cover = read_coverage(file, 64)
        assert cover.any(1).sum() > 1.5 * cover.any(0).sum()


@pytest.mark.parametrize(
    "data",
    [
        'fill-rule="evenodd" d="M0 0h40v40h-40zM10 10h20v20h-20z"',
        'd="M0 0h40v40h-40zM10 10v20h20v-20z"',
    ],
    ids=["even-odd", "nonzero"],
)
def test_an_svg_is_a_stamp_with_its_holes(tmp_path, data):
    """Icons are SVG files, and were "not a picture"."""
    file = tmp_path / "frame.svg"
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-5 -5 50 50">'
    file.write_text(f'{head}<path fill="#c83c14" {data}/><circle cx="20" cy="20" r="4"/></svg>')
    cover, quarter = read_coverage(file, 64), read_rgba(file, 64)
    assert cover[8].min() > 0.95  # the frame, cut to what is filled
    assert cover[22].min() == cover[32, 20] == 0  # the hole
    assert cover[32, 32] == 1  # the dot in it
    assert np.allclose(quarter[8, 8], (200 / 255, 60 / 255, 20 / 255, 1), atol=0.01)
    assert quarter[32, 32].tolist() == [0, 0, 0, 1]
    Stamp({"stamp": f"leaf,{file}", "colours": "own"})
    file.write_text(f"{head}<text>no path</text></svg>")
    with pytest.raises(InputError, match="has no filled paths, only text"):
        Stamp({"stamp": str(file)})


def test_pictures_of_cameras_and_scanners_are_stamps(tmp_path):
    """They lay on their side, and gray ones of 16 bits were white."""
    lying = Image.Exif()
    lying[0x0112] = 6
    photo, scan, program = (tmp_path / name for name in ("a.png", "b.png", "c.png"))
    Image.new("L", (30, 20)).save(photo, exif=lying)
    cover = read_coverage(photo, 64)
    assert cover[:, 32].min() == 1
    assert cover[32, 0] == 0
    levels = np.zeros((8, 8), np.uint16)
    levels[:, 4:] = 40_000
    Image.fromarray(levels).save(scan)
    assert read_coverage(scan, 64)[32, [8, 56]] == pytest.approx([1, 1 - 40_000 / 65_535], abs=0.01)
    # Pillow has Ghostscript draw such files, whatever their names are.
    program.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n%%EOF\n")
    with pytest.raises(InputError, match="is not a picture that artgen can read"):
        read_coverage(program, 64)
    # Colours were those of the file, whatever its profile says that they are.
    Image.new("RGB", (8, 8), "#ff0000").save(photo, icc_profile=swapped_profile())
    assert read_rgba(photo, 8)[4, 4] == pytest.approx([0, 1, 0, 1], abs=0.02)


def test_files_of_stamps(tmp_path):
    box = np.zeros((20, 30), np.uint8)
    box[4:14, 6:26] = 255
    alpha = tmp_path / "alpha.png"
    Image.fromarray(np.dstack([box, box, box, box])).save(alpha)
    dark = tmp_path / "dark.png"
    Image.fromarray(255 - box).save(dark)
    for file in (alpha, dark):
        cover = read_coverage(file, SIDE)
        # Twice as wide as high, cut to the box, in the middle of the square.
        assert cover[SIDE // 2].min() == 1
        assert np.isclose(cover.mean(), 0.5, atol=0.02)
    # With its colours, a picture without alpha is a rectangle.
    opaque = read_rgba(dark, SIDE)
    assert opaque[SIDE // 2, :, 3].min() == 1
    assert opaque[0, 0].tolist() == [0, 0, 0, 0]
    assert opaque[SIDE // 2, SIDE // 2].tolist() == [0, 0, 0, 1]
    empty = tmp_path / "empty.png"
    Image.fromarray(np.zeros((3, 3, 4), np.uint8)).save(empty)
    # What is left of two faint pixels far apart, made smaller, is nothing.
    faint = np.zeros((1200, 1200, 4), np.uint8)
    faint[0, 0, 3] = faint[-1, -1, 3] = 1
    Image.fromarray(faint).save(tmp_path / "faint.png")
    with pytest.raises(InputError, match="is nearly empty"):
        Stamp({"stamp": str(tmp_path / "faint.png"), "colours": "own"})
    text = tmp_path / "text.png"
    text.write_text("no picture")
    for file, problem in (
        (empty, "is empty"),
        (tmp_path / "faint.png", "is nearly empty"),
        (text, "is not a picture"),
        ("none.png", "none.png: No such file"),
    ):
        with pytest.raises(InputError, match=problem):
            Stamp({"stamp": f"leaf,{file}"})
