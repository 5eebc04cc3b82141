"""Plugins that are written as the documentation says pass mypy in strict mode."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from artgen.registry import Registry
from artgen.scaffold import FAMILIES, OTHERS, create

ROOT = Path(__file__).parents[1]

WITH_ATTRIBUTES = """\
import artgen

PARAM = artgen.Param(init=1.0)


class Dot(artgen.Splat):
    blend = "mean"
    far = -1.0
    params = {"size": PARAM}


class Diamond(artgen.Shape):
    genes, vertices, convex = 3, 4, True
    gene_names = ("x", "y", "r")


class Cells(artgen.Partition):
    genes = 3


class Waves(artgen.Field):
    params = {"weight": PARAM}


class Mean(artgen.Codec):
    latent = (1, 7, 7)
    params = {"weight": PARAM}
"""

WITH_PROPERTIES = """\
from collections.abc import Mapping

import artgen

PARAM = artgen.Param(init=1.0)


class Dot(artgen.Splat):
    @property
    def blend(self) -> artgen.primitives.Blend:
        return "mean"

    @property
    def far(self) -> float:
        return -1.0

    @property
    def params(self) -> Mapping[str, artgen.Param]:
        return {"size": PARAM}


class Diamond(artgen.Shape):
    @property
    def genes(self) -> int:
        return 3

    @property
    def vertices(self) -> int:
        return 4

    @property
    def convex(self) -> bool:
        return True

    @property
    def gene_names(self) -> tuple[str, ...]:
        return ("x", "y", "r")


class Cells(artgen.Partition):
    @property
    def genes(self) -> int:
        return 3


class Waves(artgen.Field):
    @property
    def params(self) -> Mapping[str, artgen.Param]:
        return {"weight": PARAM}


class Mean(artgen.Codec):
    @property
    def latent(self) -> tuple[int, ...]:
        return (1, 7, 7)

    @property
    def params(self) -> Mapping[str, artgen.Param]:
        return {"weight": PARAM}


name: int = artgen.__version__  # the check itself can fail
"""


INSIDE_TORCH = (
    *("_dynamo", "_inductor", "_functorch", "_higher_order_ops", "_export", "_subclasses"),
    *("_native", "_numpy", "_refs", "ao", "distributed", "distributions", "export", "fx"),
    *("onnx", "package", "quantization", "testing"),
)
"""Parts of torch with no type that a plugin meets, which take most of the time to read."""


# By night, for it reads artgen and torch once more: by day `make lint` does with all shipped plugins.
@pytest.mark.nightly
def test_plugins_of_every_kind_pass_strict_mypy(tmp_path):
    (tmp_path / "attributes.py").write_text(WITH_ATTRIBUTES)
    (tmp_path / "properties.py").write_text(WITH_PROPERTIES)
    shutil.copy(ROOT / "tests/data/contracts.py", tmp_path)
    shutil.copy(ROOT / "tests/data/script.py", tmp_path)
    registry = Registry()
    for family in (*FAMILIES, *OTHERS):
        create(f"my_{family}", family, registry, tmp_path, single_file=True)
    sources = sorted(str(path) for path in tmp_path.glob("*.py"))
    assert len(sources) == 4 + len(FAMILIES) + len(OTHERS)
    config = tmp_path / "mypy.ini"
    inner = ",".join(f"mypy-torch.{name}.*" for name in INSIDE_TORCH)
    config.write_text(f"[mypy]\n[{inner}]\nfollow_imports = skip\n")
    # Away from the repository, mypy reads only packages with the marker py.typed.
    cache = [f"--config-file={config}", f"--cache-dir={ROOT / '.mypy_cache' / 'plugins'}"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *cache, *sources],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    # The order depends on what the cache of mypy holds.
    errors = sorted(done.stdout.splitlines())
    expected = {
        "properties.py": 'expression has type "str", variable has type "int"',
        "script.py": 'Argument "steps" to "stream" has incompatible type "str"; expected "int | None"',
    }
    assert len(errors) == len(expected), done.stdout + done.stderr
    for (name, text), error in zip(expected.items(), errors, strict=True):
        assert name in error
        assert text in error


@pytest.mark.parametrize("package", ["artgen", "artgen_plugins"])
def test_package_is_marked_as_typed(package):
    assert files(package).joinpath("py.typed").is_file()
