"""The loss `texture`: what it measures, and the file that it compares with in a recipe."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import save_photo
from PIL import Image

from artgen.base.errors import UsageError
from artgen.cli import main
from artgen.losses import parse_loss
from artgen.recipe import Recipe
from artgen_plugins.texture import texture


def stripes(period, *, red=1.0, size=40):
    rows = torch.arange(size, dtype=torch.float64)
    wave = 0.5 + 0.5 * torch.sin(2 * torch.pi * rows / period)
    return torch.stack([red * wave, wave, wave])[:, :, None].expand(3, size, size + 8)


def test_texture_compares_grain_and_colours_wherever_they_are():
    loss = texture(stripes(4))
    same, finer, other = (
        float(loss(image, image, None))
        for image in (stripes(4).roll(2, 1), stripes(8), stripes(4, red=0.4))
    )
    assert same < 0.05 * min(finer, other)


def test_texture_has_the_gradient_of_a_step_and_repeats_it():
    image = torch.rand(3, 20, 17, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    image.requires_grad_()
    steps = [parse_loss("texture:x", lambda _: texture, ["texture"]) for _ in range(2)]
    first, again = (s.with_pictures(lambda _: stripes(5)).at(7) for s in steps)
    assert torch.autograd.gradcheck(lambda x: first(x, x, None), image, fast_mode=True)
    assert first(image, image, None) == again(image, image, None)
    assert first(image, image, None) != first.at(8)(image, image, None)
    weight = torch.zeros(20, 17, dtype=torch.float64)
    (slope,) = torch.autograd.grad(first(image, stripes(4)[:, :20, :17], weight), image)
    assert not slope.any()


@pytest.mark.parametrize(
    ("text", "words"), [("texture", "needs a picture"), ("mse:a.png", "takes no picture")]
)
def test_a_loss_says_whether_it_takes_a_picture(text, words):
    known = {"texture": texture, "mse": torch.nn.functional.mse_loss}
    with pytest.raises(UsageError, match=words):
        parse_loss(text, known.__getitem__, known)


@pytest.mark.parametrize(
    ("text", "bare", "files"),
    [
        ("mse+0.3*texture:in/wood.png", "mse+0.3*texture:wood.png", ["in/wood.png"]),
        ("texture:C:\\wood.png*2+l1", "texture:wood.png*2+l1", ["C:\\wood.png"]),
        (
            'l1+0.5*texture: "in/oak+ash.JPG"+texture:b.png',
            'l1+0.5*texture: "oak+ash.JPG"+texture:b.png',
            ["in/oak+ash.JPG", "b.png"],
        ),
        ('text:"a+b/c.png"@w.pt', 'text:"a+b/c.png"@w.pt', ["w.pt"]),
        ("l1+texture:sample:brick", "l1+texture:sample:brick", []),
    ],
)
def test_files_of_a_loss_become_references(text, bare, files):
    [stage] = Recipe.from_dict({"stage": [{"loss": text}]}).stage
    assert stage.loss == bare
    assert [file.name for file in stage.loss_files or ()] == files


@pytest.mark.parametrize("name", ["wood.png", "oak+ash*2.png"])
def test_a_recipe_finds_the_picture_of_its_loss_again(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    wood = (np.random.default_rng(0).random((20, 20, 3)) * 255).astype(np.uint8)
    Path("in").mkdir()
    Image.fromarray(wood).save(f"in/{name}")
    mark = '"' * ("+" in name)
    flags = ["--steps", "3", "-n", "4", "--seed", "1", "--no-video", "--backend", "eager", "-q"]
    assert main(["fit", "photo.png", "--loss", f"l1+texture:{mark}in/{name}{mark}", *flags]) == 0
    [made] = Path("artgen-out").glob("*.png")
    [stage] = json.loads(made.with_suffix(".json").read_text())["recipe"]["stage"]
    assert stage["loss"] == f"l1+texture:{mark}{name}{mark}"
    assert [file.keys() for file in stage["loss_files"]] == [{"name", "sha256"}]

    again = ["fit", "--recipe", str(made), "--out", "again", "-q"]
    Path(f"in/{name}").rename(name)
    assert main(again) == 0
    assert Path("again", made.name).read_bytes() == made.read_bytes()
    Image.fromarray(wood[::-1]).save(name)
    assert main([*again, "--overwrite"]) == 3
    assert f"picture {name} is not the file the recipe was made with" in capsys.readouterr().err
    assert main([*again, "--overwrite", "--loss", "l1"]) == 0
