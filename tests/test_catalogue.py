"""The catalogue of what plugins offer: facts that hold, and are noticed where they do not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from artgen.base.errors import UsageError
from artgen.plan import catalogue
from artgen.plan.catalogue import check_values, facts_of, known_facts
from artgen.registry import Registry

PETAL = """
from dataclasses import dataclass
from typing import Literal

import artgen


class Petal(artgen.Splat):
    "A petal."

    @dataclass(frozen=True)
    class Options:
        tips: int = artgen.option(3, "number of tips", low=1, high=TOP)
        form: Literal["round", "sharp"] | None = artgen.option(None, "form of a tip")
        lengths: tuple[float, ...] = artgen.option((1.0, 2.0), "lengths")

    params = {"scale": artgen.Param(init=artgen.init.from_spacing(0.5), map="exp")}

    def footprint(self, dx, dy, p):
        return (-(dx * dx + dy * dy) / p.scale**2).exp()

    def radius(self, p):
        return 3 * p.scale
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "catalogue"


def petal(folder: Path, top: int = 9):
    file = folder / "petal.py"
    file.write_text(PETAL.replace("TOP", str(top)))
    return Registry(environ={}, files=[file]).find("primitive", "petal")


def test_facts_are_kept_and_read_without_loading(tmp_path, monkeypatch):
    entry = petal(tmp_path)
    assert known_facts(entry) is None
    facts = facts_of(entry)
    monkeypatch.setattr(catalogue, "_DESCRIBE", {})
    assert known_facts(entry) == facts_of(entry) == json.loads(json.dumps(facts))
    assert (facts["class"], facts["family"], facts["engines"]) == ("Petal", "splat", ["gradient"])


def test_another_plugin_file_has_other_facts(tmp_path, cache):
    facts_of(petal(tmp_path))
    changed = petal(tmp_path, top=5)
    assert known_facts(changed) is None
    assert facts_of(changed)["options"][0]["type"] == "int from 1 to 5"
    assert len(list(cache.iterdir())) == 1  # nothing is left of the one before


@pytest.mark.parametrize("damage", ["cut", "wrong", "list", "empty", "folder"])
def test_damaged_facts_are_found_anew(tmp_path, cache, damage):
    entry = petal(tmp_path)
    facts = facts_of(entry)
    [file] = cache.iterdir()
    text = file.read_text()
    if damage == "folder":
        file.unlink()
        file.mkdir()
    else:
        wrong = text.replace("int from 1 to 9", "int from 1 to 8")
        assert wrong != text
        file.write_text({"cut": text[:100], "wrong": wrong, "list": "[]", "empty": ""}[damage])
    assert known_facts(entry) is None
    assert facts_of(entry)["options"] == facts["options"]
    assert (known_facts(entry) is None) == (damage == "folder")


def test_a_changed_module_of_artgen_or_of_a_package_is_noticed(tmp_path, monkeypatch):
    package = tmp_path / "site" / "artgen_petals"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "shape.py").write_text(PETAL.replace("TOP", "9"))
    (package / ".#shape.py").symlink_to("someone@somewhere")  # by which Emacs locks it
    monkeypatch.syspath_prepend(package.parent)
    entry = petal(tmp_path)
    spec = type(entry.spec)("petal", "A petal.", "artgen_petals.shape:Petal")
    installed = type(entry)("primitive", spec, entry.plugin, {"name": "petals", "version": "1"})
    facts_of(installed)
    assert known_facts(installed) is not None
    for changed in ("__init__.py", "presets.toml"):
        (package / changed).write_text("")
        os.utime(package / changed, (1, 1))
        catalogue._state_of.cache_clear()  # as in another process
        assert known_facts(installed) is None
        facts_of(installed)


def test_a_folder_is_looked_through_once_for_all_that_it_offers(monkeypatch):
    catalogue._state_of.cache_clear()
    looked, rglob = [], Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda *given: looked.append(given[0]) or rglob(*given))
    for entry in Registry(environ={}).entries("primitive"):
        known_facts(entry)
    assert looked
    assert len(looked) == len(set(looked))


def test_looks_of_a_file_are_not_kept(tmp_path):
    """They may be of a table beside it."""
    code = (
        "import artgen\n@artgen.hookimpl\ndef artgen_looks(): return [artgen.Spec('a', 'A.', {})]"
    )
    (tmp_path / "looks.py").write_text(code)
    entry = Registry(environ={}, files=[tmp_path / "looks.py"]).find("look", "a")
    assert facts_of(entry) == {"recipe": {}}
    assert known_facts(entry) is None


def test_what_was_made_in_this_process_is_not_kept(cache):
    from artgen_plugins.triangle import Triangle

    registry = Registry(environ={})
    registry.register(Triangle, "mine")
    entry = registry.find("primitive", "mine")
    assert facts_of(entry)["class"] == "Triangle"
    assert known_facts(entry) is None


def test_without_a_cache_facts_are_found_each_time(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTGEN_CACHE", str(tmp_path / "file"))
    (tmp_path / "file").write_text("")
    entry = petal(tmp_path)
    assert facts_of(entry)["class"] == "Petal"
    assert known_facts(entry) is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tip": 1}, "Petal has no option 'tip'"),
        ({"tips": 0}, "Petal option tips must be a whole number from 1 to 9, got 0"),
        ({"tips": True}, "Petal option tips must be a whole number from 1 to 9, got True"),
        ({"form": "flat"}, "Petal option form must be"),
        ({"lengths": True, "tips": 10}, "tips must be"),
    ],
)
def test_values_are_checked_by_facts_alone(tmp_path, values, message):
    entry = petal(tmp_path)
    facts_of(entry)
    facts = known_facts(entry)
    assert facts is not None
    with pytest.raises(UsageError, match=message) as early:
        check_values(facts["options"], values, "Petal")
    if "lengths" not in values:
        with pytest.raises(UsageError) as late:
            entry.load()(values)
        assert (early.value.message, early.value.hint) == (late.value.message, late.value.hint)
    check_values(facts["options"], {"tips": 9, "form": None, "lengths": [3.0]}, "Petal")


def test_facts_need_no_torch(tmp_path):
    import subprocess
    import sys

    facts_of(Registry(environ={}).find("primitive", "triangle"))
    code = (
        "import sys\n"
        "from artgen.cli import main\n"
        "main(['plugins', 'show', 'triangle'])\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")
    assert "options (--set KEY=VALUE)" in done.stdout
