"""Art files: they come back exactly, and whatever else is found in one is refused with a reason."""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load as load_tensors
from safetensors.torch import save

from artgen import Canvas, Drawing
from artgen.art import FORMAT, Art, ExportRequest, load, quantised, saved_bytes
from artgen.errors import InputError, PluginError, UsageError
from artgen.exporters import export_png
from artgen.film.scenes import Film, Scene
from artgen.init import Context
from artgen.raster import draw
from artgen.recipe import Recipe
from artgen.registry import default

PRECISIONS = ["fp32", "fp16", "int8", "auto"]

every_precision = pytest.mark.parametrize("precision", PRECISIONS)


def make_art(precision="fp32", name="gaussian", width=24, height=16, count=9, **options):
    registry = default()
    primitive = registry.load("primitive", name)(options)
    canvas = Canvas(width, height)
    primitive.resolve_options(canvas)
    drawing = Drawing(
        name,
        primitive.option_values(),
        primitive.initial(Context(torch.Generator().manual_seed(2), canvas, count)),
        width,
        height,
        (0.1, 0.2, 0.3),
        plugin=dict(registry.find("primitive", name).identity),
    )
    recipe = Recipe.from_dict({"seed": 7, "primitive": {"name": name}, "run": {"backend": "eager"}})
    metrics = {"psnr": 21.5, "steps": 300}
    return Art(quantised(drawing, precision), recipe, metrics, precision)


def parts(art):
    """The header and the stored tensors of an art file, to be tampered with."""
    with io.BytesIO(art.to_bytes()) as file:
        data = file.read()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    return json.loads(header["__metadata__"]["artgen"]), load_tensors(data)


def write(path, header, tensors):
    text = header if isinstance(header, str) else json.dumps(header)
    path.write_bytes(save(tensors, metadata={"artgen": text}))
    return path


# ---- round trips ---------------------------------------------------------------------------------


@every_precision
@pytest.mark.parametrize("name", ["gaussian", "fourier", "mlp"])
def test_loading_gives_the_drawing_that_was_saved(tmp_path, precision, name):
    art = make_art(precision, name)
    file = tmp_path / "a.art"
    art.save(file)
    loaded = load(file)
    assert loaded.recipe == art.recipe
    assert loaded.metrics == art.metrics
    assert loaded.precision == precision
    assert loaded.psnr == 21.5
    one, other = art.drawing, loaded.drawing
    assert one.tensors.keys() == other.tensors.keys()
    for key, tensor in one.tensors.items():
        assert torch.equal(tensor, other.tensors[key]), key
        assert other.tensors[key].dtype == torch.float32
    assert (one.options, one.plugin) == (other.options, other.plugin)
    assert (one.background, one.background_weight) == (other.background, other.background_weight)
    assert one.canvas == other.canvas
    np.testing.assert_array_equal(loaded.render(), art.render())


@every_precision
def test_saving_what_was_loaded_gives_the_same_bytes(tmp_path, precision):
    file = tmp_path / "a.art"
    make_art(precision, count=50).save(file)
    assert load(file).to_bytes() == file.read_bytes()


@every_precision
def test_equal_art_gives_equal_bytes(precision):
    art = make_art(precision)
    drawing = art.drawing
    backwards = Drawing(
        drawing.primitive,
        dict(reversed(drawing.options.items())),
        dict(reversed(drawing.tensors.items())),
        drawing.width,
        drawing.height,
        drawing.background,
        plugin=dict(reversed(drawing.plugin.items())),
    )
    metrics = {"steps": 300, "psnr": 21.5}
    assert Art(backwards, art.recipe, metrics, precision).to_bytes() == art.to_bytes()
    other = replace(art, metrics={**metrics, "steps": 301})
    assert other.to_bytes() != art.to_bytes()


@settings(max_examples=60)
@given(
    rows=st.integers(1, 3),
    columns=st.integers(1, 20),
    scale=st.sampled_from([1e-6, 1.0, 1e4]),
    shift=st.sampled_from([0.0, -3.0, 1000.0]),
    seed=st.integers(0, 100),
    precision=st.sampled_from(PRECISIONS),
)
def test_rounding_is_close_and_happens_once(rows, columns, scale, shift, seed, precision):
    rng = torch.Generator().manual_seed(seed)
    tensor = shift + scale * torch.randn(rows, columns, generator=rng)
    drawing = Drawing("x", {}, {"a": tensor, "one": tensor[0]}, 4, 4)
    once = quantised(drawing, precision)
    twice = quantised(once, precision)
    span = tensor.amax(1, keepdim=True) - tensor.amin(1, keepdim=True)
    # Half a step of 255, or half a unit in the last place.
    coarse = {"fp16": tensor.abs() * 2**-11, "int8": span / 510}
    error = coarse.get(precision, 0.0 * span)
    slack = 1e-6 * tensor.abs() + 1e-7
    for name, wanted, limit in (
        ("a", tensor, error + slack),
        ("one", tensor[0], (error + slack)[0]),
    ):
        assert ((once.tensors[name] - wanted).abs() <= limit).all()
        assert once.tensors[name].shape == wanted.shape
        assert torch.equal(once.tensors[name], twice.tensors[name])


def test_half_precision_keeps_huge_values_finite():
    drawing = Drawing("x", {}, {"a": torch.tensor([1e9, -1e9])}, 4, 4)
    assert torch.isfinite(quantised(drawing, "fp16").tensors["a"]).all()


def test_the_size_of_the_parameters():
    drawing = make_art(count=10).drawing
    values = drawing.parameters
    assert saved_bytes(drawing, "fp32") == 4 * values
    assert saved_bytes(drawing, "fp16") == 2 * values
    ranges = 2 + 3 + 2 + 1
    assert saved_bytes(drawing, "int8") == values + ranges * 2 * 4


# Of `auto` the numbers are packed with the header: test_small counts them.
@pytest.mark.parametrize("precision", PRECISIONS[:3])
def test_the_size_is_that_of_the_stored_tensors(precision):
    tensors = {"a": torch.rand(2, 3, 5), "b": torch.rand(4), "c": torch.rand(7, 1)}
    art = replace(make_art(), drawing=Drawing("x", {}, tensors, 4, 4), precision=precision)
    stored = load_tensors(art.to_bytes())
    size = sum(tensor.numel() * tensor.element_size() for tensor in stored.values())
    assert saved_bytes(art.drawing, precision) == size


def test_no_absolute_path_nor_pickle_gets_into_a_file(tmp_path):
    data = make_art().to_bytes()
    assert str(tmp_path).encode() not in data
    assert os.path.expanduser("~").encode() not in data
    header, _ = parts(make_art())
    assert set(header) == {"format", "drawing", "precision", "recipe", "metrics"}


# ---- drawing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "shape"), [(None, (16, 24, 3)), (24, (16, 24, 3)), (1, (1, 1, 3)), (96, (64, 96, 3))]
)
def test_render_gives_eight_bits_at_any_size(size, shape):
    image = make_art().render(size)
    assert image.shape == shape
    assert image.dtype == np.uint8


def test_render_is_the_drawing_rounded_to_eight_bits():
    art = make_art()
    exact = draw(art.drawing, art.primitive()).permute(1, 2, 0).numpy()
    expected = np.clip(np.round(255 * exact), 0, 255).astype(np.uint8)
    assert expected.std() > 5
    np.testing.assert_array_equal(art.render(), expected)


def test_transparent_and_supersampled():
    art = make_art(blend="over")
    image = art.render(48, transparent=True, supersample=2)
    assert image.shape == (32, 48, 4)
    assert image[..., 3].min() < 255
    with pytest.raises(UsageError, match="transparent"):
        make_art().render(transparent=True)


@pytest.mark.parametrize("size", [0, -5, 65_537, True])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(UsageError, match=f"whole number from 1 to .*, got {size}"):
        make_art().render(size)


def test_impossible_supersampling_is_refused():
    with pytest.raises(UsageError, match="got 0"):
        make_art().render(supersample=0)


@pytest.mark.parametrize("device", ["tpu", "cpu:0:1", "meta"])
def test_a_device_that_there_is_not_is_refused(device):
    """torch said so, in its own words."""
    with pytest.raises(UsageError, match=f"there is no device '{device}'"):
        make_art().render(device=device)


def test_a_notebook_shows_a_png_with_the_recipe():
    art = make_art()
    with Image.open(io.BytesIO(art._repr_png_())) as image:
        assert image.format == "PNG"
        assert image.size == (24, 16)
        assert any(art.recipe.to_json() in str(value) for value in image.info.values())
        np.testing.assert_array_equal(np.asarray(image), art.render())
    exported = export_png(art, ExportRequest(size=48))
    with Image.open(io.BytesIO(exported)) as image:
        assert image.size == (48, 32)


# ---- writing -------------------------------------------------------------------------------------


def test_an_existing_file_is_kept_unless_asked(tmp_path):
    file = tmp_path / "a.art"
    file.write_bytes(b"precious")
    with pytest.raises(UsageError, match=r"a\.art exists"):
        make_art().save(file)
    with pytest.raises(UsageError, match=r"a\.art was not written by artgen"):
        make_art().save(file, overwrite=True)
    assert file.read_bytes() == b"precious"
    file.unlink()
    make_art().save(file)
    make_art().save(file, overwrite=True)
    assert load(file).drawing.primitive == "gaussian"
    assert [path.name for path in tmp_path.iterdir()] == ["a.art"]


# ---- files that are not art ----------------------------------------------------------------------


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.art does not exist"):
        load(tmp_path / "none.art")
    with pytest.raises(InputError, match="does not exist"):
        load(tmp_path / f"{'n' * 300}.art")
    with pytest.raises(InputError, match="is not a file"):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b"\xff" * 100, b"{}" * 50])
def test_foreign_files_are_refused(tmp_path, content):
    file = tmp_path / "a.art"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.art is not an \.art file"):
        load(file)


def test_an_open_file_is_not_loaded():
    with pytest.raises(UsageError, match=r"takes the path of an \.art file, not BytesIO"):
        load(io.BytesIO())


def test_a_picture_names_the_drawing_beside_it(tmp_path):
    (tmp_path / "a.png").write_bytes(make_art().to_png())
    with pytest.raises(InputError, match=r"is not an \.art file") as refused:
        load(tmp_path / "a.png")
    assert "artgen fit" in refused.value.hint
    make_art().save(tmp_path / "a.art")
    with pytest.raises(InputError, match=r"is not an \.art file") as refused:
        load(tmp_path / "a.png")
    assert refused.value.hint == f"the drawing is in {tmp_path / 'a.art'}"


def test_a_copy_is_changed_alone():
    """Neither could be copied: its mappings are views."""
    art = make_art()
    keys = {name: each[None] for name, each in art.drawing.tensors.items()}
    film = Film((Scene((0.0,), keys),), 1.0, 24.0)
    art = replace(art, registry=default(), film=film)
    other = copy.deepcopy(art)
    other.drawing.tensors["colour"][:] = 0.5
    assert other.registry is art.registry
    assert (art.render() == make_art().render()).all()
    assert (art.render() != other.render()).any()
    drawing = pickle.loads(pickle.dumps(art.drawing))
    assert all(
        torch.equal(drawing.tensors[name], each) for name, each in art.drawing.tensors.items()
    )
    assert drawing.canvas == art.drawing.canvas


def test_safetensors_of_others_are_refused(tmp_path):
    file = tmp_path / "a.art"
    file.write_bytes(save({"x": torch.zeros(3)}))
    with pytest.raises(InputError, match="contains no artgen recipe"):
        load(file)
    file.write_bytes(save({"x": torch.zeros(3)}, metadata={"artgen": "not json"}))
    with pytest.raises(InputError, match="contains no artgen recipe"):
        load(file)
    file.write_bytes(save({"x": torch.zeros(3)}, metadata={"artgen": "[" * 100_000}))
    with pytest.raises(InputError, match="contains no artgen recipe"):
        load(file)


@every_precision
def test_truncated_files_are_refused(tmp_path, precision):
    data = make_art(precision).to_bytes()
    file = tmp_path / "a.art"
    for length in [*range(1, len(data), 97), len(data) - 1]:
        file.write_bytes(data[:length])
        with pytest.raises(InputError, match=r"a\.art is not an \.art file"):
            load(file)


@settings(max_examples=150)
@given(data=st.data())
def test_flipped_bytes_never_end_in_a_traceback(tmp_path_factory, data):
    content = bytearray(make_art("int8").to_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / "flipped.art"
    file.write_bytes(content)
    try:
        art = load(file)
        if max(art.drawing.width, art.drawing.height) < 1000:
            art.render()
    except (InputError, PluginError):
        pass


@pytest.mark.parametrize("found", [FORMAT + 1, 0, -1, "1", None, True, 1.0, [1]])
def test_other_formats_are_refused_by_number(tmp_path, found):
    header, tensors = parts(make_art())
    file = write(tmp_path / "a.art", {**header, "format": found}, tensors)
    with pytest.raises(InputError, match="this artgen reads up to 4") as caught:
        load(file)
    assert f".art format {found!r}" in caught.value.message


@pytest.mark.parametrize("header", ["[]", "3", "null", '"text"'])
def test_headers_that_are_no_object_are_refused(tmp_path, header):
    with pytest.raises(InputError, match=r"has \.art format None"):
        load(write(tmp_path / "a.art", header, {"x": torch.zeros(1)}))


DAMAGE = {
    "no drawing": ({"drawing": None}, {}, r"damaged: drawing must "),
    "no options": ({}, {"options": None}, r"drawing\.options must "),
    "options of another kind": ({}, {"options": 3}, r"drawing\.options must "),
    "a width in words": ({}, {"width": "wide"}, r"drawing\.width must "),
    "a width that is a truth": ({}, {"width": True}, r"drawing\.width must "),
    "an infinite width": ({}, {"width": float("inf")}, r"drawing\.width must "),
    "a huge width": ({}, {"width": 10**12}, r"drawing\.width must "),
    "no height": ({}, {"height": 0}, r"drawing\.height must "),
    "a negative height": ({}, {"height": -4}, r"drawing\.height must "),
    "a background of two": ({}, {"background": [0, 0]}, r"drawing\.background"),
    "a background that is no colour": ({}, {"background": "red"}, r"drawing\.background"),
    "a background of NaN": ({}, {"background": [0, 0, float("nan")]}, r"drawing\.background"),
    "a background weight in words": (
        {},
        {"background_weight": "heavy"},
        r"drawing\.background_weight must ",
    ),
    "a plugin of another kind": ({}, {"plugin": 5}, r"drawing\.plugin must "),
    "another precision": ({"precision": "fp64"}, {}, r"precision must "),
    "the wrong precision": ({"precision": "int8"}, {}, r"holds torch\.float32, which is not int8"),
    "the wrong float": ({"precision": "fp16"}, {}, r"holds torch\.float32, which is not fp16"),
    "no recipe": ({"recipe": None}, {}, r"recipe must "),
    "a recipe with unknown keys": ({"recipe": {"sede": 1}}, {}, r"its recipe: unknown key 'sede'"),
    "a newer recipe": ({"recipe": {"schema": 3}}, {}, r"its recipe has schema 3"),
    "metrics of another kind": ({"metrics": 3}, {}, r"metrics must "),
}


@pytest.mark.parametrize(("outer", "inner", "says"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_descriptions_are_refused(tmp_path, outer, inner, says):
    header, tensors = parts(make_art())
    damaged = {**header, "drawing": {**header["drawing"], **inner}, **outer}
    with pytest.raises(InputError, match=says):
        load(write(tmp_path / "a.art", damaged, tensors))


@pytest.mark.parametrize("name", ["small.", "subject.x"])
def test_numbers_of_an_unknown_type_are_refused(tmp_path, name):
    header, tensors = parts(make_art())
    odd = {**tensors, name: torch.zeros(3, dtype=torch.bfloat16)}
    with pytest.raises(InputError, match=rf"is damaged: {name} holds numbers of an unknown type"):
        load(write(tmp_path / "a.art", header, odd))


@pytest.mark.parametrize("key", ["drawing", "precision", "recipe", "metrics"])
def test_a_missing_key_is_named(tmp_path, key):
    header, tensors = parts(make_art())
    del header[key]
    with pytest.raises(InputError, match=f"is damaged: {key} is missing"):
        load(write(tmp_path / "a.art", header, tensors))


@pytest.mark.parametrize(
    "change",
    [
        {"scale.range": None},
        {"scale.range": torch.zeros(2)},
        {"scale.range": torch.zeros(3, 2)},
        {"scale.range": torch.zeros(2, 3)},
        {"scale": torch.zeros(2, 9)},
        {"scale": torch.zeros(2, 3, 9, dtype=torch.uint8)},
    ],
    ids=["missing", "flat", "rows", "columns", "floats", "rank"],
)
def test_ranges_that_do_not_fit_are_refused(tmp_path, change):
    header, tensors = parts(make_art("int8"))
    changed = {k: t for k, t in {**tensors, **change}.items() if t is not None}
    with pytest.raises(InputError, match="is damaged: "):
        load(write(tmp_path / "a.art", header, changed))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"xy": torch.full((2, 9), torch.nan)}, "NaN or infinite"),
        ({"scale": torch.full((2, 9), torch.inf)}, "NaN or infinite"),
        ({"scale": torch.ones(3, 9)}, r"scale \[2, 9\], scale \[3, 9\]"),
        ({"colour": torch.ones(3, 8)}, "colour"),
        ({"extra": torch.ones(9)}, "extra"),
        ({"xy": None}, "does not hold the parameters of gaussian"),
    ],
    ids=["nan", "inf", "rows", "count", "extra", "missing"],
)
def test_tensors_that_are_not_the_primitives_are_refused_when_drawn(tmp_path, change, says):
    header, tensors = parts(make_art())
    changed = {k: t for k, t in {**tensors, **change}.items() if t is not None}
    art = load(write(tmp_path / "a.art", header, changed))
    with pytest.raises(InputError, match=says):
        art.render()


def test_options_the_primitive_does_not_know_are_refused_when_drawn(tmp_path):
    header, tensors = parts(make_art())
    header["drawing"]["options"]["invented"] = 1
    art = load(write(tmp_path / "a.art", header, tensors))
    with pytest.raises(
        InputError, match=r"does not fit the installed gaussian: .* no option 'invented'"
    ):
        art.render()


def test_a_missing_plugin_is_named_when_drawn(tmp_path):
    header, tensors = parts(make_art())
    header["drawing"]["primitive"] = "invented"
    art = load(write(tmp_path / "a.art", header, tensors))
    with pytest.raises(PluginError, match="invented"):
        art.render()


@pytest.mark.parametrize("name", ["", ".", " "])
def test_a_name_without_a_name_is_refused(name):
    """It said that `.` exists."""
    with pytest.raises(UsageError, match="names no file"):
        make_art().save(name)
