"""Files of precision `auto`: exact numbers, small, as good as said, and damage is found."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load as load_tensors
from safetensors.torch import save

import artgen
from artgen.art import load, quantised, rounded
from artgen.art.numbers import MOST, fineness, grid_of, pack_numbers, unpack_numbers
from artgen.base.header import SMALL, deflate, inflate
from artgen.errors import InputError, UsageError
from artgen.matching import along_curve
from artgen.output import art_header, read_recipe
from artgen.recipe.layers import lay_over
from artgen.registry import default
from artgen.runs import run

PIXELS = (np.indices((24, 32)).sum(0)[..., None] * [4, 3, 2] % 200 + 20).astype(np.uint8)


def shapes_of(tensors):
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def round_trip(tensors):
    data = pack_numbers(tensors)
    back = unpack_numbers(data, shapes_of(tensors))
    assert back.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert back[name].shape == tensor.shape
        assert back[name].tobytes() == tensor.numpy().tobytes(), name
    return data


# ---- numbers -------------------------------------------------------------------------------------


def test_any_floats_come_back_bit_for_bit():
    odd = [math.nan, math.inf, -math.inf, -0.0, 0.0, 1e-45, 3.4e38]
    round_trip(
        {
            "odd": torch.tensor(odd),
            "none": torch.zeros(2, 0),
            "one": torch.tensor(3.5),
            "zeros": torch.zeros(3, 40),
            "huge": torch.full((40,), 2.0**127),
            "tiny": torch.full((40,), 2.0**-149),
            "mixed": torch.stack([torch.linspace(0, 1, 40), torch.arange(40.0)]),
            "film": torch.arange(4 * 2 * 40).reshape(4, 2, 40) / 8,
        }
    )
    assert unpack_numbers(pack_numbers({}), {}) == {}


@settings(max_examples=40, deadline=None)
@given(
    shape=st.sampled_from([(5,), (40,), (3, 40), (2, 3, 33), (6, 7)]),
    fine=st.integers(-3, 12),
    seed=st.integers(0, 99),
    whole=st.booleans(),
)
def test_numbers_come_back_whatever_their_step(shape, fine, seed, whole):
    tensor = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 9
    if whole:
        tensor = torch.round(tensor * 2.0**fine) * 2.0**-fine + 0.0
        row = tensor.numpy().reshape(grid_of(shape))[0]
        assert fineness(row) <= max(fine, 0)
    round_trip({"a": tensor})


def test_numbers_written_once_are_read_for_ever():
    wanted = {
        "a": torch.stack([torch.arange(40.0) ** 2 / 8, torch.arange(40.0) * 3 - 7]),
        "b": torch.tensor([0.1, -0.0, 3.0]),
    }
    back = unpack_numbers(bytes.fromhex(NUMBERS), shapes_of(wanted))
    for name, tensor in wanted.items():
        assert back[name].tobytes() == tensor.numpy().tobytes(), name


NUMBERS = (
    "0002800139de78e5e09871264fe7a99ed06a5431511dca9d5acceafd3a4c1b5ccb0a0b8162c1f98b1ace497f"
    "ffec7600000800000000000000000015fffffffff5555555559333333d0f847627627627627f9e"
)


def test_predictions_save_what_they_should():
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 1024, 800)

    def size(*rows):
        return len(pack_numbers({"a": torch.tensor(np.stack(rows), dtype=torch.float32)}))

    alone = size(noise)
    assert 0.97 * 1000 < alone < 1.08 * 1000  # 800 numbers of 10 bits
    assert size(noise, noise + 7) < alone + 40  # the row above
    assert size(np.cumsum(rng.integers(-2, 3, 800))) < 0.4 * alone  # the part before
    film = torch.tensor(np.stack([noise, noise[::-1]] * 5).reshape(5, 2, 800).astype(np.float32))
    assert len(pack_numbers({"film": film})) < 2.2 * alone  # the keyframe before


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((2, 41), "as many|claims"),
        ((2, 39), "claims"),
        ((3, 40), "claims"),
        ((2 * MOST,), "claims"),
        ((2**17 + 1, 40), "claims"),
        ((10**4000, 10**4000), "claims"),
    ],
)
def test_other_shapes_than_the_numbers_have_are_refused(shape, says):
    data = pack_numbers({"a": torch.arange(80.0).reshape(2, 40)})
    with pytest.raises(ValueError, match=says):
        unpack_numbers(data, {"a": shape})


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_bytes_are_read_or_refused(data):
    good = bytearray(pack_numbers({"a": torch.arange(80.0).reshape(2, 40) / 4}))
    for _ in range(data.draw(st.integers(1, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ValueError):
        unpack_numbers(bytes(good[: data.draw(st.integers(0, len(good)))]), {"a": (2, 40)})


def test_few_bytes_that_unpack_to_many_are_refused_early():
    bomb = pack_numbers({"a": torch.zeros(2_000_000)})
    assert len(bomb) < 2000
    with pytest.raises(ValueError, match="claims"):
        unpack_numbers(bomb, {"a": (100,)})


# ---- the header ----------------------------------------------------------------------------------


def test_a_header_comes_back_and_is_small():
    text = json.dumps({"drawing": {"primitive": "gaussian", "width": 3}, "metrics": {"psnr": 31.0}})
    data = deflate(text, b"numbers")
    assert inflate(data) == (text, b"numbers")
    assert len(data) < len(text)
    for at in range(len(data)):
        with pytest.raises(ValueError, match="checksum"):
            inflate(data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :])
    with pytest.raises(ValueError, match="checksum"):
        inflate(b"")


def test_few_bytes_that_are_a_long_header_are_refused():
    assert inflate(deflate(" " * 1_000_000, b""))[0].isspace()
    with pytest.raises(ValueError, match="its header has no end"):
        inflate(deflate(" " * 3_000_000, b""))


def test_the_words_never_change():
    # They are part of the format: other words would make all small files unreadable.
    assert inflate(bytes.fromhex(WRITTEN)) == (
        '{"recipe":{"primitive":{"name":"triangle"}},"precision":"auto"}',
        b"\x01\x02",
    )


WRITTEN = "314255d4ab46ca38288919bdf0adc596ed6a010102"


# ---- drawings ------------------------------------------------------------------------------------

SHORT = {
    **{"count": 60, "steps": 40, "seed": 1, "threads": 1},
    # So that parts settle, which 14 steps are too few for.
    "engine_options": {"every": 0.05, "until": 0.5},
}


@pytest.fixture(scope="module")
def exact():
    return artgen.fit(PIXELS, "gaussian", history=0, **SHORT)


@pytest.fixture(scope="module")
def small():
    return artgen.fit(PIXELS, "gaussian", precision="auto", **SHORT)


def test_a_fit_loses_no_more_than_it_may(exact, small):
    assert exact.psnr - small.psnr <= 0.0501
    assert len(small.to_bytes()) < 0.35 * len(exact.to_bytes())
    coarse = replace(exact, drawing=quantised(exact.drawing, "int8"), precision="int8")
    assert len(small.to_bytes()) < len(coarse.to_bytes())
    assert small.parameter_bytes == small.metrics["bytes"] < 1.2 * 60 * 8


def test_a_file_comes_back_exactly(small, tmp_path):
    file = tmp_path / "a.art"
    small.save(file)
    loaded = load(file)
    assert loaded.to_bytes() == file.read_bytes()
    assert (loaded.recipe, loaded.metrics) == (small.recipe, small.metrics)
    for name, tensor in small.drawing.tensors.items():
        assert torch.equal(loaded.drawing.tensors[name], tensor)
    np.testing.assert_array_equal(loaded.render(), small.render())
    assert json.loads(read_recipe(file)) == small.recipe.to_dict()
    assert art_header(file)["metrics"]["psnr"] == small.psnr
    described = tmp_path / "a.json"
    described.write_text(json.dumps(small.to_dict()))
    assert load(described).to_bytes() == file.read_bytes()


def test_edits_and_moments_keep_the_steps(small):
    xy = small.drawing.tensors["xy"].numpy()
    kept = artgen.edit(small, "delete@smallest:5")
    assert set(map(tuple, kept.drawing.tensors["xy"].T.tolist())) <= set(map(tuple, xy.T.tolist()))
    moved = artgen.edit(small, "move=0.123,0.077")
    for before, after in zip(xy, moved.drawing.tensors["xy"].numpy(), strict=True):
        assert fineness(after) <= fineness(before)
    assert len(moved.to_bytes()) < 1.2 * len(small.to_bytes())


@pytest.mark.parametrize(
    ("name", "how"),
    [("triangle", {"count": 12}), ("voronoi", {"count": 40, "steps": 20}), ("hatch", {})],
)
def test_every_family_is_rounded_within_the_bound(name, how):
    one = artgen.fit(PIXELS, name, seed=1, threads=1, history=0, **how)
    other = artgen.fit(PIXELS, name, seed=1, threads=1, precision="auto", **how)
    assert one.psnr - other.psnr <= 0.0501
    assert len(other.to_bytes()) < 0.5 * len(one.to_bytes())
    if name == "triangle":  # Later ones cover earlier ones.
        difference = one.drawing.tensors["genes"] - other.drawing.tensors["genes"]
        assert difference.abs().max() < 2


def test_films_are_rounded_as_their_still(tmp_path):
    art = artgen.fit(
        PIXELS, "gaussian", count=40, steps=30, seed=1, threads=1, history=5, precision="auto"
    )
    wide = artgen.fit(PIXELS, "gaussian", count=40, steps=30, seed=1, threads=1, history=5)
    assert len(art.to_bytes()) < 0.4 * len(wide.to_bytes())
    file = tmp_path / "a.art"
    art.save(file)
    loaded = load(file)
    assert loaded.to_bytes() == file.read_bytes()
    for one, other in zip(loaded.film.scenes, art.film.scenes, strict=True):
        for key, tensor in other.tensors.items():
            assert torch.equal(one.tensors[key], tensor)
    assert len(loaded.at(0.3).to_bytes()) < 1.5 * len(loaded.at(0.0).to_bytes())


def test_what_cannot_be_rounded_stays(exact):
    primitive, calls = default().load("primitive", "gaussian")(exact.drawing.options), []

    def see(drawing):
        calls.append(drawing)
        return np.full(3, len(calls), np.float32), None

    kept = rounded(primitive, exact.drawing, see, reorder=True)
    for name, tensor in exact.drawing.tensors.items():
        assert torch.equal(kept.tensors[name], tensor)


def test_a_file_is_made_small_later(exact, tmp_path):
    made = exact.stored("auto")
    one, other = (each.render().astype(float) for each in (exact, made))
    # Without a target the drawings are alike.
    assert 49 < 10 * math.log10(255**2 / np.mean((one - other) ** 2)) < 56
    assert len(made.to_bytes()) < 0.4 * len(exact.to_bytes())
    assert (made.recipe.run.precision, made.metrics) == ("auto", {})
    assert made.stored("auto").to_bytes() == made.to_bytes()
    assert made.stored("fp16").precision == "fp16"
    with_film = artgen.fit(PIXELS, "gaussian", count=9, steps=9, seed=1, threads=1, history=3)
    made = with_film.stored("auto")
    made.save(tmp_path / "a.art")
    np.testing.assert_array_equal(load(tmp_path / "a.art").at(0.1).render(), made.at(0.1).render())
    with pytest.raises(UsageError, match="cannot be stored as int8"):
        artgen.fit(PIXELS, "mesh", count=9, steps=1, seed=1, backend="eager").stored("int8")


def test_only_parts_whose_order_is_free_are_put_in_another():
    rng = torch.Generator().manual_seed(4)
    for name, moves in (("gaussian", True), ("triangle", False), ("hatch", False)):
        art = artgen.fit(PIXELS, name, steps=2, seed=1, threads=1, history=0) if not moves else None
        if art is None:
            primitive = default().load("primitive", name)({})
            tensors = {"xy": torch.rand(2, 300, generator=rng), "scale": torch.ones(2, 300)}
            tensors |= {"angle": torch.zeros(300), "colour": torch.zeros(3, 300)}
        else:
            primitive, tensors = art.primitive(), dict(art.drawing.tensors)
        after = along_curve(primitive, tensors)
        same = all(torch.equal(after[key], tensors[key]) for key in tensors)
        assert same is not moves
        if moves:
            way = [(t["xy"][:, 1:] - t["xy"][:, :-1]).norm(dim=0).mean() for t in (tensors, after)]
            assert way[1] < way[0] / 5
            assert set(after["xy"][0].tolist()) == set(tensors["xy"][0].tolist())


# ---- damage --------------------------------------------------------------------------------------


def tampered(path, art, change=None, text=None):
    stored = load_tensors(art.to_bytes())
    inner, numbers = inflate(stored[SMALL].numpy().tobytes())
    header = json.loads(inner)
    if change is not None:
        change(header)
    data = deflate(text or json.dumps(header, sort_keys=True), numbers)
    tensor = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    path.write_bytes(save({**stored, SMALL: tensor}, metadata={"artgen": '{"format":4}'}))
    return path


DAMAGE = {
    "no numbers": (lambda h: h.pop("numbers"), "numbers is missing"),
    "numbers in words": (lambda h: h.update(numbers={"xy": "wide"}), "damaged: numbers"),
    "a negative size": (lambda h: h.update(numbers={"xy": [-1, 4]}), "damaged: numbers"),
    "a huge size": (lambda h: h["numbers"].update(xy=[10**12]), "claims"),
    "fewer numbers": (lambda h: h["numbers"].pop("xy"), "claims"),
    "no drawing": (lambda h: h.pop("drawing"), "drawing is missing"),
    "no recipe": (lambda h: h.pop("recipe"), "recipe is missing"),
    "another precision": (lambda h: h.update(precision="int8"), "is not int8|range"),
}


@pytest.mark.parametrize(("change", "says"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_headers_are_refused(small, tmp_path, change, says):
    with pytest.raises(InputError, match=f"is damaged: .*{says}|{says}"):
        load(tampered(tmp_path / "a.art", small, change))


def test_every_flipped_bit_is_found(small, tmp_path):
    data, file = small.to_bytes(), tmp_path / "a.art"
    (length,) = np.frombuffer(data[:8], "<u8").tolist()
    rng = np.random.default_rng(5)
    for at in rng.integers(8 + length, len(data), 60):
        bits = bytearray(data)
        bits[at] ^= 1 << int(rng.integers(8))
        file.write_bytes(bits)
        with pytest.raises(InputError, match="checksum is wrong"):
            load(file)
        with pytest.raises(InputError, match="checksum is wrong"):
            read_recipe(file)


def test_text_that_is_no_json_is_refused(small, tmp_path):
    file = tampered(tmp_path / "a.art", small, text="[1, 2")
    for read in (load, read_recipe):
        with pytest.raises(InputError, match="is damaged"):
            read(file)


@pytest.mark.parametrize(("name", "unused"), [("gaussian", 330), ("voronoi", 400), ("mlp", 500)])
def test_a_fit_to_bytes_is_rounded_until_it_fits(name, unused):
    how = {"steps": 8, "seed": 1, "threads": 1, "target_bytes": 2600, "precision": "auto"}
    art = artgen.fit("sample:coffee", name, size=32, **how)
    assert 2600 - unused < len(art.to_bytes()) <= 2600
    # The recipe holds what the parameters may take, by which it is made again.
    assert art.parameter_bytes <= art.recipe.run.parameter_bytes < 2600
    assert run(art.recipe, default()).art.to_bytes() == art.to_bytes()


def test_another_size_drops_the_bytes_of_the_one_before():
    stored = {"primitive": {"name": "gaussian", "count": 9}, "run": {"parameter_bytes": 99}}
    kept = lay_over(stored, {"run": {"threads": 1}}, {})
    assert kept["run"] == {"parameter_bytes": 99, "threads": 1}
    for flags, texts in (({"primitive": {"count": 7}}, ()), ({}, ("blend=mean",))):
        assert "run" not in lay_over(stored, flags, {}, texts)
    with pytest.raises(UsageError, match="one part of gaussian takes"):
        artgen.fit(PIXELS, "gaussian", target_bytes=300, steps=2, precision="auto")
