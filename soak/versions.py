"""Other versions of Python and of what artgen needs, each in an environment of its own.

The environments are made by pip, which wants a network. Torch is that of this process, since its
default build brings gigabytes of CUDA; where there is none of it for another Python, what does not
need torch is tried, unless TORCH_INDEX names an index that has one.
"""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from soak._promise import Promise, Tally

ROOT = Path(__file__).parents[1]

MINIMUM = Path(__file__).with_name("minimum.txt")
"""The oldest versions that pyproject.toml allows, but for torch."""

OLDEST_PYTHON = (3, 11)

ELSEWHERE = {"annotationlib", "_typeshed"}
"""What the standard library of a newer Python has, and what type checkers alone know."""

SUITE = (
    "art", "cli_commands", "cli_fit", "climb", "codecs", "compiled", "fields", "gallery", "genetic",
    "gradient", "image_sets", "live", "losses", "metrics", "options", "output_formats",
    "output_provenance", "output_still", "output_svg", "output_video", "palette", "recipe",
    "registry", "runner", "sample_targets", "scratch", "shapes", "targets",
)  # fmt: skip
"""The tests that touch what artgen takes from others."""

COMMANDS = (
    "--help", "--version", "fit --help", "compare --help", "gallery build --help", "plugins list",
    "plugins list --json",
)  # fmt: skip
"""What has to work without torch."""

WITHOUT_TORCH = """
import importlib, pathlib, sys
from artgen.recipe import Recipe
good = bad = 0
for root in ("artgen", "plugins/artgen_plugins"):
    for path in sorted(pathlib.Path(root).rglob("*.py")):
        parts = path.relative_to(pathlib.Path(root).parent).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        # Kernels that use names of others are compiled after these, and never imported.
        compiled = "from artgen.raster.bound import" in path.read_text(encoding="utf-8")
        if "templates" in name or name.endswith("__main__") or compiled:
            continue
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in ("torch", "triton"):
                print("FAILED", name, error)
        except Exception as error:
            print("FAILED", name, type(error).__name__, error)
        else:
            good += 1
for path in sorted(pathlib.Path("gallery/recipes").glob("*.toml")):
    Recipe.from_toml(path)
    good += 1
print(good, "passed")
"""


def other_versions(tally: Tally, small: bool, name: str) -> None:
    """One set of versions."""
    if name == "declared":
        _declared(tally)
        return
    if small:
        tally.skips.append("environments are made in the full size")
        return
    interpreter = _interpreter(name.removeprefix("Python ")) if "Python" in name else sys.executable
    if interpreter is None:
        tally.skips.append(f"there is no {name}")
        return
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "bin" / "python"
        subprocess.run([interpreter, "-m", "venv", folder], check=True)
        torch = _torch(name)
        needed = [each for each in _requirements() if not each.startswith("torch")]
        pinned = ["-c", str(MINIMUM)] if name == "minimum" else ["--upgrade"]
        problem = _installed(python, *pinned, *needed, *(torch or ()), *_TOOLS)
        problem = problem or _installed(python, "--no-deps", str(ROOT))
        if problem:
            tally.case(f"{name}: to install it", problem)
            return
        _note_versions(tally, python)
        if torch is None:
            tally.skips.append(f"{name}: torch, whose build for it brings gigabytes of CUDA")
            _count(tally, name, python, "-m", "compileall", "-q", "artgen", "plugins")
            _count(tally, name, python, "-c", WITHOUT_TORCH)
            for words in COMMANDS:
                _count(tally, f"{name}: {words}", python, "-m", "artgen", *words.split())
        else:
            suite = [f"tests/test_{each}.py" for each in SUITE]
            flags = ["-q", "-W", "default", "-m", "not browser", "-p", "no:cacheprovider"]
            _count(tally, name, python, "-m", "pytest", *flags, *suite)


_BROUGHT = ("llvmlite", "pydantic-core", "pytest", "triton")
"""What others bring, or those who use it: numba, pydantic, the authors of plugins, torch."""

_TOOLS = ("pytest", "pytest-xdist", "hypothesis")


def _declared(tally: Tally) -> None:
    """What is imported is needed by name, and the source is of the oldest Python."""
    from packaging.requirements import Requirement

    requirements = [Requirement(each) for each in _requirements()]
    minimum = MINIMUM.read_text(encoding="utf-8").splitlines()
    lowest = {each.name: each.specifier for each in map(Requirement, minimum)}
    for each in requirements:
        low = [spec.version for spec in each.specifier if spec.operator == ">="]
        bound = None if low else "it has no lowest version"
        if each.name != "torch" and low:
            here = lowest.get(each.name)
            agrees = here is not None and here.contains(low[0])
            bound = None if agrees else f"{MINIMUM.name} has {here}, not {low[0]}"
        tally.case(each.name, bound)
    modules = importlib.metadata.packages_distributions()
    extras = {_plain(Requirement(each).name) for each in _extras()}
    known = {_plain(each.name) for each in requirements} | extras | {"artgen", *_BROUGHT}
    for path in [*ROOT.glob("artgen/**/*.py"), *ROOT.glob("plugins/**/*.py")]:
        if "templates" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=OLDEST_PYTHON)
        others = {
            name.split(".")[0]
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
        } - (sys.stdlib_module_names | ELSEWHERE)
        problems = [
            f"it imports {name}, which nothing brings"
            for name in sorted(
                others - {"", "__future__", "artgen", "artgen_plugins", "artgen_makers"}
            )
            if not known & {_plain(each) for each in modules.get(name, [name])}
        ]
        tally.case(str(path.relative_to(ROOT)), *problems)


def _plain(name: str) -> str:
    """As names of distributions are compared."""
    return re.sub("[-_.]+", "-", name).lower()


def _requirements() -> list[str]:
    """The required dependencies."""
    return list(_project()["dependencies"])


def _extras() -> list[str]:
    """The optional dependencies."""
    return [each for extra in _project()["optional-dependencies"].values() for each in extra]


def _project() -> dict[str, Any]:
    data: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return data["project"]


def _interpreter(version: str) -> str | None:
    """A Python of some version that starts, wherever it is."""
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for found in (shutil.which(f"python{version}"), *home.glob(f"{version}.*/bin/python")):
        if found is None:
            continue
        printed = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
        if printed.returncode == 0 and f" {version}." in printed.stdout:
            return str(found)
    return None


def _torch(name: str) -> list[str] | None:
    """The arguments of pip that get torch; None where that would be too much."""
    if index := os.environ.get("TORCH_INDEX"):
        return ["torch", "--extra-index-url", index]
    if "Python" in name and name != f"Python {sys.version_info[0]}.{sys.version_info[1]}":
        return None
    return [f"torch=={importlib.metadata.version('torch')}"]


def _installed(python: Path, *what: str) -> str | None:
    """Why pip could not install it."""
    line = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *what]
    done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, check=False)
    return done.stderr.strip()[-600:] if done.returncode else None


def _note_versions(tally: Tally, python: Path) -> None:
    names = ["numpy", "numba", "pillow", "pydantic", "scipy", "torch"]
    code = (
        "import importlib.metadata as m, sys\n"
        f"have = {{d.name.lower(): d.version for d in m.distributions()}}\n"
        f"print(*[f'{{n}} {{have[n]}}' for n in {names} if n in have], sep=', ')"
    )
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    tally.measurements["with"] = done.stdout.strip()


def _count(tally: Tally, name: str, python: Path, *line: str) -> None:
    """Run it, and add the numbers of passed and failed checks."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}"}
    environment.pop("ARTGEN_CACHE", None)
    done = subprocess.run(
        [str(python), *line], capture_output=True, text=True, cwd=ROOT, env=environment, check=False
    )
    passed = re.search(r"(\d+) passed", done.stdout)
    failures = [each for each in done.stdout.splitlines() if re.match("FAILED|ERROR", each)]
    if done.returncode and not failures:
        failures = [(done.stdout + done.stderr).strip()[-600:]]
    cases = (int(passed[1]) if passed else 1) + len(failures)
    tally.add(cases, [f"{name}: {each}" for each in failures])


def _forgotten() -> AbstractContextManager[Any]:
    """One dependency is not named."""
    kept = [each for each in _requirements() if not each.startswith("numba")]
    return patch(f"{__name__}._requirements", lambda: kept)


PROMISES = [
    Promise(
        "versions",
        "artgen works with Python 3.11 to 3.13, and with the oldest and the newest versions of what "
        "it needs.",
        "Environments with those versions, and a part of the tests in them; what is imported is "
        "compared with what pyproject.toml names.",
        other_versions,
        _forgotten,
        "one dependency is not declared",
        pieces=("declared", "minimum", "newest", "Python 3.12", "Python 3.13"),
        bug_piece="declared",
        small_pieces=("declared",),
    ),
]
