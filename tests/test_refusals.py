"""Odd input is refused in words, never by an internal error, and never taken for something else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import artgen
from artgen.cli import main
from artgen.errors import InputError, PluginError, UsageError
from artgen.losses import parse_loss
from artgen.plan import resolve
from artgen.primitives import read_coverage
from artgen.recipe import Recipe
from artgen.registry import default
from artgen.svg import read
from artgen.targets import (
    curve_from_function,
    curve_from_samples,
    image_from_array,
    set_from_arrays,
)
from artgen.values.canvas import Canvas
from artgen.values.frame import parse_frame
from artgen_plugins.web import _is_inside

DIGITS = "\N{ARABIC-INDIC DIGIT ONE}\N{ARABIC-INDIC DIGIT TWO}"
TINY = ("-n", "2", "--steps", "1", "--size", "16", "--threads", "1", "--no-video", "-q")


@pytest.mark.usefixtures("empty_folder")
@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (["sample:cat", *TINY, "--loss", "texture:things"], 3, "holds no pictures"),
        (["sample:cat", *TINY, "--loss", "texture:/dev/null"], 3, "is a pipe, socket or device"),
        (["http://[/x"], 3, "http://[/x is not a URL: Invalid IPv6 URL"),
        (["-n.png"], 2, "--count '.png' is not a number of parts"),
        (["sample:cat", "--steps", DIGITS], 2, "is not a number of steps"),
        (["sample:cat", "--time", DIGITS], 2, "is not a number of seconds"),
        (["sample:cat", "--count", DIGITS], 2, "is not a number of parts"),
        (["sample:cat", "--seeds", DIGITS], 2, "is not a list of seeds"),
        (["sample:cat", "--size", DIGITS], 2, "is not a size"),
        (["sample:cat", "--crop-at", f"0,{DIGITS}"], 2, "is not a point of a picture"),
        (["sample:cat", "--max-bytes", DIGITS], 2, "is not a file size"),
        (["sample:cat", "--palette", DIGITS], 2, "there is no palette"),
        (["sample:cat", "--palette", "9" * 5000], 2, "there is no palette"),
        (["sample:cat", "--palette", f"viridis:{'9' * 5000}"], 2, "there is no palette"),
        (["sample:cat", *TINY, "--name", ""], 2, "'' is not a valid file name"),
        (["sample:cat", *TINY, "--name", " "], 2, "' ' is not a valid file name"),
        (["sample:cat", *TINY, "--name", "a\nb"], 2, "is not a valid file name"),
        (["sample:cat", *TINY, "--name", "a "], 2, "'a ' is not a valid file name"),
        (["sample:cat", "--video", " "], 2, "names no file"),
    ],
)
def test_odd_values_of_flags_are_refused(line, code, words, capsys):
    """Some ended with code 1, the others did something else than what was asked for."""
    Path("things").mkdir()
    assert main(["fit", *line]) == code
    assert words in capsys.readouterr().err
    assert not Path("artgen-out").exists()


@pytest.mark.parametrize("shape", [(500, 1), (1, 500)])
def test_the_thinnest_picture_can_be_cropped_to_its_detail(shape):
    """A picture of 1×500 pixels had no column left after it was reduced."""
    pixels = np.zeros((*shape, 3), np.uint8)
    pixels.reshape(-1, 3)[380:390:2] = 255
    frame = parse_frame(crop="1:1", at="auto").focused(pixels)
    along = frame.at[shape[0] == 500]
    assert along == pytest.approx(0.77, abs=0.02)


@pytest.mark.parametrize("encoding", ["zork", "rot13", "undefined"])
def test_an_encoding_that_there_is_not_is_named(encoding, tmp_path, capsys):
    file = tmp_path / "a.svg"
    text = f'<?xml version="1.0" encoding="{encoding}"?><svg xmlns="{read.NAMESPACE}"/>'
    file.write_text(text)
    with pytest.raises(InputError, match="is not a valid SVG file"):
        read.read_svg(file)
    assert main(["info", str(file)]) == 3
    assert "cannot be read" in capsys.readouterr().err


def test_svg_in_another_encoding_is_read(tmp_path):
    file = tmp_path / "a.svg"
    for encoding in ("utf-16", "iso-8859-1", "cp1252"):
        svg = f'<svg xmlns="{read.NAMESPACE}"><rect id="\xe9" width="9" height="9" opacity="0.5"/></svg>'
        file.write_bytes(f'<?xml version="1.0" encoding="{encoding}"?>{svg}'.encode(encoding))
        assert len(read.read_svg(file).paths) == 1


def test_a_stamp_that_is_too_thin_is_refused(tmp_path):
    for size in ((1, 4000), (4000, 1)):
        file = tmp_path / "thin.png"
        Image.new("L", size).save(file)
        with pytest.raises(InputError, match="too thin to be drawn"):
            read_coverage(file, 256)
    Image.new("L", (8, 4000)).save(file)
    assert read_coverage(file, 256).max() == 1


def test_a_step_beyond_all_plots_is_no_line_of_a_log(tmp_path, capsys):
    """A step with 400 digits is no float."""
    log = tmp_path / "run.jsonl"
    for step in (10**399, 2**63, -1):
        line = json.dumps({"step": step, "loss": 0.5})
        log.write_text(f"{line}\n{line}\n{line}\n")
        assert main(["plot", str(log), "-o", str(tmp_path / "a.png")]) == 3
        assert "line 1 is not a line of a log" in capsys.readouterr().err


def test_the_art_of_a_stream_is_there_after_the_loop(photo):
    """In the loop it was an AssertionError."""
    run = artgen.stream(photo, count=2, steps=40, size=8, backend="eager")
    for _ in run:
        with pytest.raises(UsageError, match="still running") as caught:
            _ = run.art
        assert caught.value.hint == "ask for its art after the loop"
        break
    assert run.art.drawing.width == 8


def test_arrays_that_numpy_would_take_for_others_are_refused():
    """Masked arrays gave what they hide, complex ones lost a part, torch's own error came out."""
    hidden = np.ma.masked_greater(np.linspace(0, 1, 12).reshape(3, 4), 0.5)
    with pytest.raises(InputError, match="array is not an array: some of its values are masked"):
        image_from_array(hidden)
    with pytest.raises(InputError, match=r"curve: y is not an array of numbers: .*are masked"):
        curve_from_samples([0, 1, 2], np.ma.array([1, 2, 3], mask=[0, 1, 0]))
    with pytest.raises(InputError, match=r"curve: y is not an array of numbers: .*are complex"):
        curve_from_samples([0, 1, 2], np.array([1, 2, 3j]))
    with pytest.raises(InputError, match=r"its function gave the shape \(\) for x of \(9,\)"):
        curve_from_function(lambda x: 3.0, samples=9)
    with pytest.raises(InputError, match="is not an array of pictures: some of its values"):
        set_from_arrays(np.ma.array(np.zeros((9, 4, 4)), mask=True))
    with pytest.raises(InputError, match=r"is not an array: .*Sparse layout"):
        artgen.fit(torch.eye(4).to_sparse())
    # A mask that hides nothing is none.
    assert image_from_array(np.ma.array(np.zeros((3, 4)), mask=False)).image.shape == (3, 4, 3)


def test_numbers_of_numpy_are_numbers(photo):
    count, size, seed = np.int64(3), np.int64(12), np.uint8(7)
    art = artgen.fit(photo, count=count, size=size, seed=seed, steps=np.int32(2), backend="eager")
    plain = artgen.fit(photo, count=3, size=12, seed=7, steps=2, backend="eager")
    assert art.to_bytes() == plain.to_bytes()
    rated = artgen.fit(
        photo, count=3, size=12, steps=2, backend="eager", engine_options={"rate": np.float32(0.5)}
    )
    assert rated.recipe.stage[0].options["rate"] == 0.5


def written(image, target, weight):
    target.clamp_(0.2, 0.4)
    return (image - target).square().mean()


def imaginary(image, target, weight):
    return (image - target).square().mean() * 1j


def lightened(image, target, weight):
    return (image.sub_(target)).square().mean()


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (written, "writes into the picture, the target or the weight"),
        (lightened, "writes into the picture, the target or the weight"),
        (imaginary, "gave a number of type torch.complex64, not a real one"),
    ],
)
def test_losses_that_break_their_contract_are_refused(loss, words):
    """One that wrote into the target scored 46 dB against what it had left of it."""
    mixture = parse_loss("bad", lambda _: loss, ["bad"])
    image = torch.rand(3, 4, 4, requires_grad=True) * 1.0
    with pytest.raises(PluginError, match=words) as caught:
        mixture(image, torch.rand(3, 4, 4), None)
    assert caught.value.exit_code == 4


def test_a_loss_may_read_the_target_in_any_mode():
    mean = parse_loss("mean", lambda _: lambda image, target, _: (image - target).mean(), ["mean"])
    for mode in (torch.no_grad(), torch.inference_mode()):
        with mode:
            assert mean(torch.ones(3, 2, 2), torch.zeros(3, 2, 2), None) == 1


@pytest.mark.parametrize(
    "address",
    [
        *("224.0.0.1", "ff02::1", "::127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"),
        *("64:ff9b::10.0.0.1", "2002:7f00:1::", "2002:a00:1::1", "fe80::1%eth0", "::1", "::"),
        *("127.0.0.1", "169.254.1.1", "0.0.0.0", "240.0.0.1"),
    ],
)
def test_addresses_of_this_machine_are_known_in_every_form(address):
    assert _is_inside(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_public_addresses_are_asked(address):
    assert not _is_inside(address)


def svg(folder: Path, body: str) -> Path:
    file = folder / "a.svg"
    file.write_text(f'<svg xmlns="{read.NAMESPACE}" viewBox="0 0 40 40">{body}</svg>')
    return file


@pytest.mark.parametrize(
    "second", ["M1 1h9v9h-9z", "M10 1v9h-9v-9z"], ids=["the same", "from another corner"]
)
def test_a_contour_that_is_drawn_twice_is_painted_once(tmp_path, second):
    """Each was inside of the other, so the file had "no filled paths"."""
    found = read.read_svg(svg(tmp_path, f'<path d="M1 1h9v9h-9z {second}"/>'))
    assert (len(found.paths), found.holes) == (1, 0)


@pytest.mark.parametrize("text", ["scale(scale(", "scale(2", "translate(1) and more", "2"])
def test_a_transform_that_cannot_be_read_is_told(tmp_path, text):
    """It was taken for none."""
    body = f'<rect width="9" height="9" transform="{text}"/><rect width="3" height="3"/>'
    found = read.read_svg(svg(tmp_path, body))
    assert len(found.paths) == 1
    assert found.unread == {"elements with damaged attributes": 1}


def test_transforms_may_be_separated_by_commas_or_be_none(tmp_path):
    body = '<rect width="3" height="3" transform=" scale(2) , translate(1)"/>'
    found = read.read_svg(svg(tmp_path, body + '<rect width="3" height="3" transform="none"/>'))
    assert [path.points.max() for path in found.paths] == [8, 3]
    assert not found.unread


def test_a_format_that_cannot_show_latents_says_so():
    """`render -o x.mp4 --latent zork:99` wrote the film as if nothing had been asked."""
    from artgen.art import ExportRequest
    from artgen.exporters.requests import refuse

    for what, more in (("MP4", {"video": True, "latents": ["walk"]}), ("SVG", {})):
        with pytest.raises(UsageError, match=f"{what} cannot show a latent"):
            refuse(ExportRequest(latent="zork:99"), what, **more)
    refuse(ExportRequest(walk="linear"), "MP4", video=True, latents=["walk"])


def test_an_interruption_while_flags_are_read_gives_json(monkeypatch, capsys):
    """There typer itself ended the command, with nothing on stdout."""

    def interrupt(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("typer.core.TyperGroup.parse_args", interrupt)
    assert main(["fit", "--json"]) == 130
    printed = capsys.readouterr()
    assert json.loads(printed.out)["error"]["exit_code"] == 130
    assert printed.err == ""


def test_an_option_that_decides_the_number_of_steps_is_checked_first():
    """A table in place of a number of passes ended with exit code 1, for lack of `--steps`."""
    stage = [{"engine": "climb", "passes": {}}]
    recipe = {"target": {"source": "sample:cat"}, "primitive": {"name": "triangle"}, "stage": stage}
    with pytest.raises(UsageError, match="passes"):
        resolve(Recipe.from_dict(recipe), default(), Canvas(8, 8))


def test_an_option_of_more_than_64_bits_is_refused():
    """`pixels` of 309 digits ended with exit code 1: it could not be divided as a float."""
    table = {"name": "fourier_features", "pixels": 10**309}
    recipe = Recipe.from_dict({"target": {"source": "sample:cat"}, "primitive": table})
    with pytest.raises(UsageError, match="pixels must be"):
        resolve(recipe, default(), Canvas(8, 8))
