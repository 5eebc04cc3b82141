"""`latents`: whole numbers that a range coder stores, the loss that counts their bits, the file."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import assert_same_bits, assert_types

import artgen
from artgen import Canvas, Drawing
from artgen.animation.forms import Shot, form_frames
from artgen.art import Art, ExportRequest
from artgen.base.errors import InputError, UsageError
from artgen.cli import main
from artgen.engines import Problem
from artgen.engines.gradient.engine import GradientEngine
from artgen.exporters import export_html
from artgen.family import page_script
from artgen.init import Context
from artgen.losses import parse_loss
from artgen.registry import default
from artgen.runs import run
from artgen.testing.candidate import picture
from artgen.values.frame import Frame
from artgen_plugins.latents import Latents, coder
from artgen_plugins.latents.coding import pack, shrink, unpack, weight_bits
from artgen_plugins.latents.layout import SIDE, TOP, bits_of, levels_of, rounded, weight_shapes
from artgen_plugins.latents.objective import EVERY, RateDistortion
from benchmarks._plain_latents import nats_of, squared_error

CANVAS = Canvas(21, 13)


@pytest.fixture(scope="module")
def latents() -> Latents:
    made = Latents({"rate": 2.0})
    made.resolve_options(CANVAS)
    return made


@pytest.fixture(scope="module")
def tensors(latents):
    """Of the middle of a fit: latents of any size, the largest included."""
    rng = torch.Generator().manual_seed(3)
    found = latents.initial(Context(rng, CANVAS, 1, target=picture(CANVAS)))
    for name, tensor in found.items():
        if name.startswith("grid"):
            tensor += 3 * torch.randn(tensor.shape, generator=rng).pow(3)
        else:
            tensor += 0.1 * torch.randn(tensor.shape, generator=rng)
    found["grid0"][0, 0, :2] = torch.tensor([-255.0, 255.0])
    return {name: torch.from_numpy(array) for name, array in rounded(found).items()}


def problem(latents, loss="mse", seed=5, canvas=CANVAS) -> Problem:
    target = picture(canvas)
    start = latents.initial(Context(torch.Generator().manual_seed(seed), canvas, 1, target=target))
    drawing = Drawing("latents", latents.option_values(), start, canvas.width, canvas.height)
    registry = default()
    known = {entry.name: entry for entry in registry.entries("loss")}
    mixture = parse_loss(loss, lambda name: registry.load("loss", name), known)
    return Problem(latents, drawing, target, mixture, 30, 9)


def test_the_coder_gives_back_what_it_got_and_ends_where_it_began():
    rng = np.random.default_rng(0)
    values, row = rng.integers(-900, 900, 300), coder.tails()[60]
    starts, sizes = np.zeros((2, 600), np.int64)
    assert coder.measure_numbers(values, row, 2, starts, sizes) == 600
    words = coder.encode(starts, sizes)
    head, found = coder.head_of(words), np.zeros(300, np.int64)
    coder.decode_numbers(words, head, row, 2, found)
    assert (found == values).all()
    assert not head.any()
    # Within a word of the entropy.
    bits = -np.log2(sizes / 2**coder.PRECISION).sum()
    assert bits <= 32 * len(words) <= bits + 64


def test_the_words_are_those_of_constriction():
    constriction = pytest.importorskip("constriction")
    values = np.random.default_rng(0).integers(0, 1 << 10, 500).astype(np.int32)
    other = constriction.stream.stack.AnsCoder()
    other.encode_reverse(values, constriction.stream.model.Uniform(1 << 10))
    words = coder.encode(values.astype(np.int64) << 14, np.full(500, 1 << 14))
    assert words.tolist() == other.get_compressed().tolist()


def test_the_tables_are_distributions_of_laplace():
    table = coder.tails()
    assert table.shape == (coder.SCALES, 8192)
    assert (np.diff(table, axis=1) <= 0).all()
    for index in (0, 40, 104):
        scale, t = 2 ** (index / coder.OCTAVE - 5), np.arange(8192)
        wanted = 2 ** (coder.PRECISION - 1) * np.exp(-t / (coder.FINE * scale))
        assert abs(table[index] - wanted).max() < 600
    # Not a bit of them may ever change, or old files cannot be read.
    assert zlib.crc32(table.astype("<i4").tobytes()) == 0xE59F898A
    assert zlib.crc32(coder.magnitude_table().astype("<i4").tobytes()) == 0xC2B1669F


def test_packed_tensors_are_the_same(latents, tensors):
    data = pack(latents, tensors)
    found = unpack(latents, data)
    assert list(found) == list(latents.parameters())
    assert all(torch.equal(found[name], tensors[name]) for name in found)
    assert pack(latents, found) == data


# Latents of two levels, 7x5 pixels, from before weights had steps in a file.
FIRST_VERSION = (
    "0m=nmkpM0LE&wh7E&wh7E&wn9E&wh7E&^cyE&whw{1K?r+@0e;{1B+`A%AgCndDK5nmFhx-;Z`H8;5)rkQpo<$SWW"
    "qhe_XmYG?c)UC6=G+tS(M4(XTdxkRBte92suk<|x!OesuD`B!pfuPI*>S3>|uTic$4<?7qFL>uH>L?B}wCKX1lKPNR"
    "=lTaiw+Hte`wZ6PwOdjnj+cg;ql422z9_5fYg&O}UU|b6(K5N=*zw27McNOO?j47tk<W$soS&DxHP@+wLq|j<9cjW6"
    "q{}$+o!!UmJVM&MYAsIHUg)ap"
)

# The same, from before the context model had signs and centres.
SECOND_VERSION = (
    "0xaH$S1tf904@M704@M705AY904@M70AT?x04@MC{1K?r+@0e;{1B+`A%AgCndDK5nmFhx-"
    ";Z`H8;5*|JJbv>aS``YHZkNTa83@PfO)g`m%r1{wiq?TI~|?0erZ!<mFxM{{uN{+2`RSvCREmpf|Rhgr=(QIkJkLNB"
    "IhW_EE|BB?drin-VzD$C@H`?LN80XMqj$o*HyhlL^PTdDXWhAmDlX|pYEW&J|0bR53j0`Y2js8r|r`ZEfbCCTqiOIx"
    "Hkfm6rR}y)ucpiMH*lqJ{{29&Ozm{l4DzN`WfSpQUCw"
)


@pytest.mark.parametrize("data", [FIRST_VERSION, SECOND_VERSION])
def test_files_of_earlier_versions_are_read(data):
    old = Latents({"levels": 2})
    old.resolve_options(Canvas(7, 5))
    shapes = {**weight_shapes(2), "seen": (12, 11)}
    del shapes["centre"]
    found = unpack(old, base64.b85decode(data))
    again = pack(old, found)
    # Never longer than in the first version, but for the 144 weights that this one did not have.
    assert len(again) <= len(base64.b85decode(FIRST_VERSION)) + 2 * 144 / 8
    assert_same_bits(unpack(old, again), found)
    assert not found.pop("centre").any()
    assert not found["seen"][:, 11:].any()
    found["seen"] = found["seen"][:, :11]
    for k, (name, shape) in enumerate(
        [*shapes.items(), ("grid0", (1, 5, 7)), ("grid1", (3, 3, 4))]
    ):
        grid = name.startswith("grid")
        turn, most, factor = (
            (k - len(shapes), 2, 1) if grid else (k, 3, 300 if name == "mix0" else 1)
        )
        whole = (np.arange(np.prod(shape)) * 7919 + turn * 104729) % (2 * most + 1) - most
        wanted = factor * whole / 2.0 ** bits_of(name)
        np.testing.assert_array_equal(found[name], wanted.reshape(shape), err_msg=name)


def test_weights_in_coarser_steps_take_fewer_bytes(latents, tensors):
    """With zeros in their last bits, as they have at the end of a fit."""
    coarse = dict(tensors)
    for name in weight_shapes(len(latents.levels)):
        step = 2.0 ** (3 - bits_of(name))
        coarse[name] = torch.round(tensors[name] / step) * step
    data = pack(latents, coarse)
    found = unpack(latents, data)
    assert all(torch.equal(found[name], coarse[name]) for name in coarse)
    weights = {name: coarse[name].numpy() for name in weight_shapes(len(latents.levels))}
    before = {name: tensors[name].numpy() for name in weights}
    assert weight_bits(before) - weight_bits(weights) > 2 * sum(map(np.size, weights.values()))


def test_a_fit_ends_with_weights_in_steps_that_are_worth_their_bits(latents):
    engine = GradientEngine()
    engine.start(problem(latents))
    while not engine.objective.settled:
        raw = {name: tensor.detach().clone() for name, tensor in engine.descent.raw.items()}
        engine.advance(engine.step + 1)
    objective, found = engine.objective, engine.drawing(best=False).tensors
    before, after = rounded(raw), rounded(found)

    def price(numbers):
        error = objective.error(numbers)[0] * objective.goal.size
        return error / np.exp(objective.log_lambda) + sum(objective.bits(numbers))

    weights = {name for name in before if not name.startswith("grid")}
    settled = {**before, **{name: after[name] for name in weights}}
    assert price(settled) < price(before)
    engine.advance(30)
    for name in weights:
        np.testing.assert_array_equal(
            rounded(engine.drawing(best=False).tensors)[name], after[name]
        )


@pytest.mark.parametrize("value", [255, -255, 256, -256, 511, -511, -1021, 4095, -4095])
def test_a_large_weight_among_small_ones_is_packed(latents, tensors, value):
    weights = torch.zeros_like(tensors["mix4"])
    weights[0, 0] = value / 2.0 ** bits_of("mix4")
    found = unpack(latents, pack(latents, {**tensors, "mix4": weights}))
    assert torch.equal(found["mix4"], weights)


def test_the_bits_of_the_loss_are_those_of_the_file(latents, tensors):
    objective = RateDistortion(problem(latents), RateDistortion.Options())
    # What is most unlikely costs no more than 24 bits in a file.
    likely = {k: v.clamp(-4, 4) if k[:4] == "grid" else v for k, v in tensors.items()}
    bits = 8 * len(pack(latents, likely))
    assert bits == pytest.approx(sum(objective.bits(rounded(likely))), rel=0.02)


@pytest.mark.parametrize("change", ["bit", "end", "more", "version", "empty", "numbers", "wide"])
def test_damaged_bytes_are_refused(latents, tensors, change):
    data = bytearray(pack(latents, tensors))
    if change == "bit":
        data[len(data) // 2] ^= 16
    elif change == "wide":
        # Of the first weights, 4095 · 2²⁰ instead of 4095.
        data = bytearray(pack(latents, {**tensors, "seen": torch.full((12, 21), 4095 / 64)}))
        data[5] += 3
        data[1:5] = zlib.crc32(data[5:]).to_bytes(4, "little")
    elif change == "numbers":
        # With a checksum that is right: what an attacker writes.
        data[5] = 255
        data[1:5] = zlib.crc32(data[5:]).to_bytes(4, "little")
    elif change == "more":
        data += b"\1\2\3\4"
        data[1:5] = zlib.crc32(data[5:]).to_bytes(4, "little")
    data = {"end": data[:-4], "version": b"\7" + data[1:], "empty": b""}.get(change, data)
    with pytest.raises(InputError, match="version" if change in ("version", "empty") else "damage"):
        unpack(latents, bytes(data))


def test_gradients_are_those_of_automatic_differentiation(latents, tensors):
    objective = RateDistortion(problem(latents), RateDistortion.Options())
    generator = torch.Generator().manual_seed(1)
    learned = {name: tensor.clone().double().requires_grad_() for name, tensor in tensors.items()}
    for name, tensor in learned.items():
        if name.startswith("grid"):
            noise = torch.rand(tensor.shape, generator=generator) - 0.5
            tensor.data = tensor.data.clamp(-9, 9) + 0.9 * noise
    weights = {name: array for name, array in rounded(tensors).items() if name[:4] != "grid"}
    grids = [
        np.pad(learned[f"grid{n}"].detach().float().numpy(), ((0, 0), (TOP, 0), (SIDE, SIDE)))
        for n in range(len(latents.levels))
    ]
    for compute, reference in (
        (objective.distortion, lambda *given: squared_error(*given, picture(CANVAS))),
        (lambda *given: objective.information(*given)[1], nats_of),
    ):
        found = {name: np.zeros_like(array) for name, array in weights.items()}
        by_grid = compute(weights, grids, found)
        for tensor in learned.values():
            tensor.grad = None
        reference(learned, latents.levels).backward()
        found |= {f"grid{n}": each[:, TOP:, SIDE:-SIDE] for n, each in enumerate(by_grid)}
        for name, tensor in learned.items():
            wanted = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
            gap = abs(wanted.numpy() - found[name]).max()
            assert gap <= 2e-3 * max(1e-3, float(wanted.abs().max())), name


def test_rows_that_take_turns_give_the_gradients_of_all_in_weights(monkeypatch):
    """Of large grids every fourth row is enough, and no row is ever left out."""
    canvas = Canvas(160, 112)
    large = Latents({"rate": 2.0})
    large.resolve_options(canvas)
    objective = RateDistortion(problem(large, canvas=canvas), RateDistortion.Options())
    rng = torch.Generator().manual_seed(4)
    found = large.initial(Context(rng, canvas, 1, target=picture(canvas)))
    found = {
        name: each + 0.1 * torch.randn(each.shape, generator=rng) for name, each in found.items()
    }
    weights = {name: array for name, array in rounded(found).items() if name[:4] != "grid"}
    grids = [
        np.pad(found[f"grid{n}"].numpy(), ((0, 0), (TOP, 0), (SIDE, SIDE)))
        for n in range(len(large.levels))
    ]

    def gradients(turn):
        objective.turn = turn
        changed = {name: np.zeros_like(array) for name, array in weights.items()}
        objective.distortion(weights, grids, changed)
        objective.information(weights, grids, changed)
        return changed

    each = [gradients(turn) for turn in range(EVERY)]
    assert not np.allclose(each[0]["seen"], each[1]["seen"], rtol=1e-3)
    assert not np.allclose(each[0]["unit"], each[1]["unit"], rtol=1e-3)
    monkeypatch.setattr("artgen_plugins.latents.objective.EVERY", 1)
    for name, wanted in gradients(0).items():
        mean = np.mean([turn[name] for turn in each], axis=0)
        assert abs(mean - wanted).max() <= 1e-4 * max(1e-3, abs(wanted).max()), name


def test_error_and_bits_that_threads_share_are_the_same_for_any_number_of_them():
    one, two = (
        artgen.fit("sample:coffee", primitive="latents", size=48, steps=15, seed=0, threads=threads)
        for threads in (1, 2)
    )
    assert_same_bits(one.drawing.tensors, two.drawing.tensors)


def test_a_fit_goes_on_as_if_nothing_had_happened(latents):
    whole, second = GradientEngine(), GradientEngine()
    whole.start(problem(latents))
    whole.advance(13)
    state = whole.state_dict()
    # What is not in the state must not matter.
    second.start(problem(latents, seed=6))
    second.load_state_dict(state)
    for engine in (whole, second):
        engine.advance(14)
    assert_same_bits(whole.state_dict(), second.state_dict())
    assert whole.objective.log_lambda != pytest.approx(
        RateDistortion(problem(latents), None).log_lambda
    )


def test_a_fit_has_the_size_it_is_asked_for(tmp_path):
    art = artgen.fit("sample:coffee", primitive="latents", size=66, steps=200, rate=3.0, threads=1)
    file = tmp_path / "coffee.art"
    art.save(file)
    pixels = art.drawing.width * art.drawing.height
    assert 8 * art.metrics["bytes"] / pixels == pytest.approx(3.0, rel=0.15)
    assert art.metrics["bytes"] == art.parameter_bytes < file.stat().st_size
    assert art.psnr > 24
    loaded = artgen.load(file)
    assert (loaded.render() == art.render()).all()
    assert loaded.to_bytes() == file.read_bytes()
    # Larger and smaller: the same picture.
    large, small = (loaded.render(size).astype(float) for size in (198, 33))
    blocks = large.reshape(44, 3, 66, 3, 3).mean((1, 3))
    assert abs(blocks - art.render()).mean() < 2
    blocks = art.render().reshape(22, 2, 33, 2, 3).mean((1, 3))
    assert abs(small - blocks).mean() < 4
    damaged = bytearray(file.read_bytes())
    damaged[-40] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(InputError, match="is damaged: its latents are damaged"):
        artgen.load(file)


@pytest.mark.parametrize(("precision", "steps"), [("fp32", 100), ("auto", 100), ("auto", 6)])
def test_a_file_of_latents_has_the_bytes_it_is_asked_for(precision, steps):
    how = {"primitive": "latents", "size": 66, "threads": 1, "seed": 1, "precision": precision}
    art = artgen.fit("sample:coffee", target_bytes=3600, steps=steps, **how)
    # Processors round differently, and by seed it is 89.3 to 90.9 % on one of them: the header is
    # taken to be as long as it can be, and training stops short of the bytes that are left.
    assert 3600 * 0.88 < len(art.to_bytes()) <= 3600
    assert art.parameter_bytes <= art.recipe.run.parameter_bytes
    assert art.recipe.primitive.target_bytes is None
    if steps < 9:
        assert run(art.recipe, default()).art.to_bytes() == art.to_bytes()


def test_fewer_bytes_first_take_the_latents_nearest_to_zero(latents, tensors):
    size = len(pack(latents, tensors))
    assert shrink(latents, tensors, size).keys() == tensors.keys()
    for most in (size - 20, size * 4 // 5, size * 3 // 5):
        found = shrink(latents, tensors, most)
        assert 0.9 * most < len(pack(latents, found)) <= most
    near = shrink(latents, tensors, size - 20)
    for name in tensors:
        whole, before = rounded({name: near[name]})[name], tensors[name].numpy()
        assert (abs(whole) <= abs(before)).all()
        assert abs(whole - before).max() <= (1 if name.startswith("grid") else 0)


def test_a_psnr_is_found_with_few_bits():
    how = {"primitive": "latents", "size": 66, "threads": 1, "seed": 1, "steps": 150}
    low, high = (artgen.fit("sample:coffee", target_psnr=psnr, **how) for psnr in (24, 30))
    for art, wanted in ((low, 24), (high, 30)):
        # What is missing costs bits; how much of it remains after so few steps depends on the processor.
        assert wanted - 0.1 < art.psnr < wanted + 0.6
        assert art.metrics["steps"] == 150
        assert art.recipe.primitive.options["psnr"] == wanted
        assert art.recipe.stage[0].target_psnr is None
    assert low.parameter_bytes < 0.75 * high.parameter_bytes


def test_a_film_becomes_sharp_level_by_level(latents, tensors):
    recipe = artgen.fit("sample:coffee", "latents", size=8, steps=1, seed=1).recipe
    start = latents.initial(Context(torch.Generator(), CANVAS, 1, target=picture(CANVAS)))
    drawing = Drawing("latents", latents.option_values(), start, CANVAS.width, CANVAS.height)
    art = Art(drawing, recipe)
    frames = [*form_frames("levels", Shot(art, Frame(size=21), 1.0), 12).frames]
    still = art.render().astype(float)
    apart = [abs(frame - still).mean() for frame in frames]
    assert len(frames) == 12
    assert (np.diff(apart) <= 1e-6).all()
    assert apart[0] > 5
    assert apart[9] == apart[-1] == 0
    other = artgen.fit("sample:coffee", "gaussian", count=2, size=8, steps=1, seed=1)
    with pytest.raises(UsageError, match="gaussian has no grids"):
        form_frames("levels", Shot(other, Frame(size=8), 1.0), 12)


def test_a_page_holds_the_bytes_of_the_file_and_what_decodes_them(latents, tensors):
    recipe = artgen.fit("sample:coffee", primitive="gaussian", count=2, size=8, steps=1).recipe
    drawing = Drawing("latents", latents.option_values(), tensors, CANVAS.width, CANVAS.height)
    page = export_html(Art(drawing, recipe), ExportRequest()).decode()
    data = pack(latents, tensors)
    _, piece, numbers, script = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    assert base64.b64decode(numbers) == data + bytes(-len(data) % 4)
    facts = json.loads(piece)["facts"]
    assert facts["grids"] == [list(level) for level in latents.levels]
    assert {each["name"]: each["bits"] for each in facts["weights"]} == {
        name: bits_of(name) for name in tensors if name[:4] != "grid"
    }
    assert "class Decoder" in script
    assert "image/png;base64" not in page


def test_the_script_of_the_page_has_the_types_that_its_comments_say(latents, tensors, tmp_path):
    own = page_script(latents, Drawing("latents", {}, tensors, 21, 13))
    assert_types(own.script, Path(__file__).with_name("browser") / "page.d.ts", tmp_path)


def test_a_resumed_fit_agrees_with_the_psnr_it_was_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ("--size", "16", "--steps", "3", "--threads", "1", "--no-video", "-q", "--seeds", "2,3")
    asked = ("fit", "sample:coffee", "-p", "latents", *small)
    assert main([*asked, "--target-psnr", "24"]) == 0
    assert main([*asked, "--target-psnr", "24", "--resume"]) == 0
    assert main([*asked, "--target-psnr", "25", "--resume"]) == 2
    assert "target_psnr = 24" in capsys.readouterr().err


def test_what_latents_cannot_do_is_refused(latents):
    with pytest.raises(UsageError, match="fitted by the squared error, not by 'ssim'"):
        RateDistortion(problem(latents, "ssim"), RateDistortion.Options())
    with pytest.raises(UsageError, match="65536x65536 pixels are too many"):
        Latents({"width": 65536, "height": 65536})
    with pytest.raises(UsageError, match="pixels of the target, which has 21x13"):
        Latents({"width": 1000}).resolve_options(CANVAS)
    with pytest.raises(UsageError, match="are too few for latents of"):
        artgen.fit("sample:coffee", "latents", size=66, target_bytes=1500, steps=1)
    with pytest.raises(UsageError, match=r"rate = 2\.0 and target_bytes = 9000 were both given"):
        artgen.fit("sample:coffee", "latents", size=66, target_bytes=9000, rate=2.0, steps=1)
    assert levels_of(5, 3, 9) == [(1, 3, 5), (3, 2, 3), (3, 1, 2), (3, 1, 1)]


def test_a_file_asks_for_no_other_latents_than_it_has_pixels(latents, tensors, tmp_path):
    recipe = artgen.fit("sample:coffee", primitive="gaussian", count=2, size=8, steps=1).recipe
    drawing = Drawing("latents", latents.option_values(), tensors, 10, 6)
    (tmp_path / "liar.art").write_bytes(Art(drawing, recipe).to_bytes())
    with pytest.raises(InputError, match="is damaged: the finest latents are pixels of the target"):
        artgen.load(tmp_path / "liar.art")


def test_an_art_whose_family_is_missing_is_kept_as_it_is(latents, tensors):
    recipe = artgen.fit("sample:coffee", primitive="gaussian", count=2, size=8, steps=1).recipe
    drawing = Drawing("nothing", {}, tensors, CANVAS.width, CANVAS.height)
    art = Art(drawing, recipe)
    assert len(art.to_bytes()) > 4 * drawing.parameters
    packed = Art(replace(drawing, primitive="latents", options=latents.option_values()), recipe)
    assert len(packed.to_bytes()) < 4 * drawing.parameters
