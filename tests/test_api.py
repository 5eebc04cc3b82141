"""The public surface: lazy, complete, and usable from Python alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import artgen
from artgen.events import Evaluated


def test_importing_artgen_imports_nothing_heavy():
    heavy = {"torch", "numpy", "numba", "PIL", "av", "skimage", "pydantic"}
    code = f"import sys, artgen; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_all_is_what_there_is():
    assert all(getattr(artgen, name) is not None for name in artgen.__all__)
    assert sorted(dir(artgen)) == sorted(artgen.__all__)


def test_documentation_for_plugins_needs_public_names_alone():
    docs = Path(__file__).parents[1] / "docs"
    pages = [
        *docs.glob("guides/*.md"),
        *(docs / f"{n}.md" for n in ("hooks", "plugins", "tutorial")),
    ]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    modules = set(re.findall(r"^ *(?:from|import) artgen\.([\w.]+)", text, re.MULTILINE))
    assert modules <= set(artgen.__all__)


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="gaussian"):
        artgen.gaussian  # noqa: B018


def test_fit_from_a_name_save_load_and_render(tmp_path):
    art = artgen.fit("sample:chelsea", "gaussian", count=30, steps=25, size=48, seed=4)
    assert art.psnr > 15
    assert art.recipe.seed == 4
    art.save(tmp_path / "cat.art")
    with pytest.raises(artgen.UsageError, match="exists"):
        art.save(tmp_path / "cat.art")

    again = artgen.load(tmp_path / "cat.art")
    assert again.to_bytes() == art.to_bytes()
    assert np.array_equal(again.render(), art.render())
    assert again.render(120).shape == (80, 120, 3)
    assert art._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", ["uint8", "float", "pillow"])
def test_fit_from_memory(kind):
    ramp = np.linspace(0, 255, 20 * 30 * 3).reshape(20, 30, 3).astype(np.uint8)
    target = {"uint8": ramp, "float": ramp / 255, "pillow": Image.fromarray(ramp)}[kind]
    art = artgen.fit(target, count=12, steps=20, seed=0, backend="eager")
    assert art.render().shape == (20, 30, 3)
    assert art.psnr > 14


def test_fit_takes_a_class_options_and_an_observer():
    class Blob(artgen.Splat):
        """A round blob."""

        params = {"size": artgen.Param(init=artgen.init.from_spacing(0.6), lr=0.05, map="exp")}

        def footprint(self, dx, dy, p):
            return 1 / (1 + (dx * dx + dy * dy) / (p.size * p.size)) ** 2

        def radius(self, p):
            return 6 * p.size

    events = []
    art = artgen.fit(
        "sample:coffee",
        Blob,
        count=20,
        steps=15,
        size=32,
        seed=1,
        backend="eager",
        engine_options={"rate": 0.5},
        observe=events.append,
    )
    assert art.recipe.stage[0].options["rate"] == 0.5
    assert art.recipe.primitive.name == "blob"
    assert any(isinstance(event, Evaluated) for event in events)


def test_fit_says_what_is_wrong():
    with pytest.raises(artgen.PluginError, match="gausian"):
        artgen.fit("sample:cat", "gausian")
    with pytest.raises(artgen.UsageError, match="blen"):
        artgen.fit("sample:cat", "gaussian", blen="depth")
    with pytest.raises(artgen.InputError, match=r"no\.png"):
        artgen.fit("no.png")
    with pytest.raises(artgen.UsageError, match="steps"):
        artgen.fit("sample:cat", steps=0)
