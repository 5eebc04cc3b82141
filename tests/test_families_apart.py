"""Families are independent: without the folder of any one and its primitives, the others work."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import artgen
import artgen_plugins
from artgen.primitives import known_families
from artgen.registry import default

FITTED = {
    "splat": "gaussian",
    "shape": "triangle",
    "partition": "voronoi",
    "mesh": "mesh",
    "ink": "stipple",
    "field": "siren",
    "codec": "pca",
}
"""A primitive of each family that is fitted."""

WORK = """
import contextlib
import io
import sys
from pathlib import Path

import numpy as np

import artgen

here, removed, *names = sys.argv[1:]
assert Path(artgen.__file__).is_relative_to(here)
assert "torch" not in sys.modules
from artgen.cli import main

with contextlib.redirect_stdout(io.StringIO()) as listed:
    assert main(["plugins", "list"]) == 0
assert all(name in listed.getvalue() for name in names)
from artgen.targets import image_from_array, set_from_arrays

rng = np.random.default_rng(0)
picture = image_from_array(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
pictures = rng.integers(0, 256, (24, 8, 8), dtype=np.uint8)
examples = set_from_arrays(pictures, np.arange(24) % 3)
for name in names:
    codec = name == "pca"
    sizes = {} if codec else {"steps": 3, "seed": 0}
    if name not in ("siren", "pca"):
        sizes["count"] = 8
    art = artgen.fit(examples if codec else picture, name, **sizes)
    assert art.render().size
absent = f"artgen.families.{removed}"
assert not any(module.startswith(absent) for module in sys.modules), absent
"""


def without(family: str, folder: Path) -> None:
    """Copy artgen and its plugins, but for a family and its primitives.

    With bytecode, which is valid in the copy too: sources keep their times. What another process
    is just writing is left out.
    """
    ignored = shutil.ignore_patterns("*.pyc.*")
    package = folder / "artgen"
    shutil.copytree(Path(artgen.__file__).parent, package, ignore=ignored)
    shutil.rmtree(package / "families" / family)
    plugins = folder / "artgen_plugins"
    shutil.copytree(Path(artgen_plugins.__file__).parent, plugins, ignore=ignored)
    classes = [entry.load() for entry in default().entries("primitive")]
    gone = {cls.__module__ for cls in classes if cls.family == family}
    for module in gone:
        (plugins / f"{module.rpartition('.')[2]}.py").unlink()
    init = plugins / "__init__.py"
    tree = ast.parse(init.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.List):
            specs = [(spec, ast.unparse(spec)) for spec in node.elts]
            node.elts = [spec for spec, text in specs if not any(f"{m}:" in text for m in gone)]
    init.write_text(ast.unparse(tree), encoding="utf-8")


def test_each_family_is_fitted():
    assert {family.family for family in known_families()} >= FITTED.keys()
    folder = Path(artgen.__file__).parent / "families"
    assert {each.name for each in folder.iterdir() if (each / "contract.py").exists()} == set(
        FITTED
    )


# By day two that others might lean on; that all are independent, `make lint` says of their imports.
@pytest.mark.parametrize(
    "family",
    [
        pytest.param(each, marks=[pytest.mark.nightly] * (each not in ("splat", "shape")))
        for each in FITTED
    ],
)
def test_without_a_family_the_others_work(family, tmp_path):
    without(family, tmp_path)
    names = [name for other, name in FITTED.items() if other != family]
    done = subprocess.run(
        [sys.executable, "-c", WORK, str(tmp_path), family, *names],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_fit_imports_its_family_alone():
    work = """
import sys
import numpy as np
import artgen
from artgen.targets import image_from_array

artgen.fit(image_from_array(np.zeros((8, 8, 3), np.uint8)), "gaussian", count=4, steps=1)
print({name.split(".")[2] for name in sys.modules if name.startswith("artgen.families.")})
"""
    done = subprocess.run([sys.executable, "-c", work], capture_output=True, text=True, check=False)
    assert done.stdout == "{'splat'}\n", done.stderr
