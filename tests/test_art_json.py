"""The way back from JSON to a drawing: exact, and strict with the files of strangers."""

import json
from dataclasses import fields

import numpy as np
import pytest

import artgen
from artgen.art import ExportRequest
from artgen.cli import main
from artgen.errors import InputError
from artgen.registry import Registry
from soak._readers import READERS

TARGET = np.linspace(0, 1, 12 * 8 * 3).reshape(12, 8, 3)

SHIPPED = [entry.name for entry in Registry(environ={}).entries("primitive")]
COUNTLESS = ("field", "codec", "picture codec")


def made(name, options, precision="fp32"):
    return artgen.fit(TARGET, name, steps=2, seed=1, precision=precision, **options)


def there_and_back(art, file):
    art.save(file)
    again = artgen.load(file)
    assert again.to_bytes() == art.to_bytes()
    assert again.drawing.tensors.keys() == art.drawing.tensors.keys()
    assert again.to_png() == art.to_png()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_primitive_comes_back_from_json_with_the_same_bytes(tmp_path, name, registry):
    """There was no way back: the parts in a .json file could be read, and not drawn."""
    kind = registry.load("primitive", name)
    options = {} if kind.family in COUNTLESS else {"count": 9}
    if kind.family == "splat":
        options["backend"] = "eager"
    if kind.family == "codec":
        # As narrow as it goes, so that it is quick; the layers are all there.
        known = {each.name for each in fields(kind.Options)}
        options = {"width": 0.1} if "width" in known else {}
        art = artgen.fit("sample:digits?n=300", name, steps=1, seed=1, **options)
    else:
        art = made(name, options)
    there_and_back(art, tmp_path / "a.json")


@pytest.mark.parametrize(
    ("name", "precision"),
    [("circle*2+square", "fp32"), ("gaussian", "fp16"), ("gaussian", "int8"), ("latents", "auto")],
)
def test_mixtures_and_packed_numbers_come_back_too(tmp_path, name, precision):
    options = {} if name == "latents" else {"count": 3}
    there_and_back(made(name, options, precision), tmp_path / "a.json")


def test_samples_come_back_too(tmp_path):
    art = artgen.fit("curve:sin(x)", "mlp", steps=2, seed=1, hidden=4)
    there_and_back(art, tmp_path / "a.json")


def test_films_come_back_too(tmp_path):
    for data in READERS["film"].examples():
        (tmp_path / "a.art").write_bytes(data)
        (tmp_path / "a.json").write_text(json.dumps(artgen.load(tmp_path / "a.art").to_dict()))
        assert artgen.load(tmp_path / "a.json").to_bytes() == data


def test_commands_take_the_json(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    art = made("triangle", {"count": 3})
    art.save("a.art")
    assert main(["render", "a.art", "-o", "a.json", "-q"]) == 0
    assert main(["render", "a.json", "-o", "b.art", "-q"]) == 0
    assert (tmp_path / "b.art").read_bytes() == art.to_bytes()
    assert main(["render", "a.json", "-o", "c.art", "--size", "40"]) == 2
    assert "this format takes no size" in capsys.readouterr().err
    one, other = (
        artgen.fit(TARGET, "triangle", init=name, steps=1, seed=1) for name in ("a.art", "a.json")
    )
    assert one.drawing.tensors["genes"].equal(other.drawing.tensors["genes"])
    assert main(["info", "a.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "shapes"


def broken(change):
    data = json.loads(made("gaussian", {"count": 4}).to_format("json", ExportRequest()))
    change(data)
    return json.dumps(data)


def values(data):
    return data["tensors"]["xy"]["values"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.pop("tensors"), "lacks a drawing"),
        (lambda data: data.update(tensors=[]), "lacks a drawing"),
        (lambda data: values(data).__setitem__(0, float("nan")), "NaN or infinite"),
        (lambda data: values(data).__setitem__(0, 1e39), "NaN or infinite"),
        (lambda data: values(data).__setitem__(0, "x"), "not a list of numbers"),
        (lambda data: values(data).__setitem__(0, [1, 2]), "inhomogeneous"),
        (lambda data: values(data).append(0.5), "reshape"),
        (lambda data: data["tensors"]["xy"].update(shape=[10**30]), "dimension"),
        (lambda data: data["tensors"]["xy"].update(shape="x"), "lacks|invalid"),
        (lambda data: data["tensors"]["xy"].update(dtype="object"), "known type"),
        (lambda data: data["tensors"]["xy"].update(dtype="uint8"), "not uint8"),
        (lambda data: data["drawing"].update(format=9), "format 9"),
        (lambda data: data["drawing"]["drawing"].update(width=-1), "width"),
        (lambda data: data.update(recipe=3), "recipe"),
        (lambda data: data["tensors"].pop("xy"), "damaged: its trajectory"),
    ],
)
def test_json_of_strangers_is_refused(tmp_path, change, said):
    file = tmp_path / "a.json"
    file.write_text(broken(change))
    with pytest.raises(InputError, match=said):
        artgen.load(file).render()


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, "3", '{"psnr": 20}', "\ufeff{}", '"\\ud800"']
)
def test_what_is_no_drawing_exits_with_3(tmp_path, monkeypatch, text, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_text(text)
    assert main(["render", "a.json", "-o", "b.art"]) == 3
    assert "a.json" in capsys.readouterr().err
