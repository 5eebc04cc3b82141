"""Create a new plugin from templates.

The templates are real files beside this module. A package takes all of `templates/package` and the
file of its family; a loose file is that of its family alone.
"""

from __future__ import annotations

import importlib.util
import keyword
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Literal

from artgen._version import __version__
from artgen.errors import UsageError

if TYPE_CHECKING:
    from artgen.registry import Registry

__all__ = ["FAMILIES", "Family", "Scaffold", "create"]

Family = Literal["splat", "field", "shape", "codec"]

FAMILIES: dict[Family, str] = {
    "splat": "Soft ovals at any angle.",
    "field": "A sum of plane waves.",
    "shape": "Stars at any angle.",
    "codec": "A small network that encodes and decodes pictures.",
}
"""The families with a template, and a one-line summary of each example."""

TEMPLATES = Path(__file__).parent / "templates"
TARGETS: dict[Family, str] = {"codec": "sample:digits"}
"""Targets of families that cannot be fitted to a photograph."""
LONGEST = 24
"""The longest name, so that no line of the templates gets too long."""


@dataclass(frozen=True)
class Scaffold:
    """The `files` that were written for the primitive `name`, and the `target` that it needs."""

    name: str
    files: tuple[Path, ...]
    single_file: bool
    target: str = ""

    def next_steps(self, python: str) -> Iterator[str]:
        """Commands to try next; `python` is the interpreter that artgen runs in."""
        fit = f"artgen fit {self.target}".rstrip()
        if self.single_file:
            yield f"{fit} -p {self.name} --plugin {self.files[0]}"
            yield f"{fit} --watch --plugin {self.files[0]}"
            yield f"artgen plugins check {self.files[0]}"
            yield f"edit {self.files[0]}"
            return
        source = next(path for path in self.files if path.name == f"{self.name}.py")
        yield f"{python} -m pip install -e {source.parents[2]}"
        yield f"{fit} -p {self.name}"
        yield f"artgen plugins check {self.name}"
        yield f"edit {source}"


def create(
    name: str, family: Family, registry: Registry, folder: Path, *, single_file: bool
) -> Scaffold:
    """Write a new plugin into `folder`: ``artgen-NAME/``, or ``NAME.py`` as a `single_file`.

    Raises UsageError for a name that cannot be used or is taken, and for files that exist;
    OutputError where they cannot be written.
    """
    from artgen.hookspecs import PLUGIN_API
    from artgen.output import atomic_write, probe_folder

    _check_name(name, registry, single_file)
    module = f"artgen_{name}"
    words = {
        "name": name,
        "class_name": _class_name(name),
        "module": module,
        "distribution": f"artgen-{name.replace('_', '-')}",
        "summary": FAMILIES[family],
        "target": TARGETS.get(family, "photo.jpg"),
        "version": __version__,
        "api": str(PLUGIN_API),
    }
    primitive = TEMPLATES / f"{family}.py.template"
    if single_file:
        contents = {folder / f"{name}.py": primitive}
    else:
        root = folder / words["distribution"]
        contents = {
            root / "pyproject.toml": TEMPLATES / "package/pyproject.toml.template",
            root / "README.md": TEMPLATES / "package/README.md.template",
            root / "src" / module / "__init__.py": TEMPLATES / "package/init.py.template",
            root / "src" / module / f"{name}.py": primitive,
            root / "tests" / f"test_{name}.py": TEMPLATES / "package/test.py.template",
        }
    top = folder / (f"{name}.py" if single_file else words["distribution"])
    if top.exists() or top.is_symlink():
        raise UsageError(f"{top} exists", hint="choose another name, or move it away")
    try:
        for path, template in contents.items():
            text = Template(template.read_text(encoding="utf-8")).substitute(words)
            probe_folder(path.parent)
            atomic_write(path, text.encode(), durable=False)
    except BaseException:
        # Leave no incomplete plugin behind.
        shutil.rmtree(top, ignore_errors=True)
        raise
    return Scaffold(name, tuple(contents), single_file, TARGETS.get(family, ""))


def _check_name(name: str, registry: Registry, single_file: bool) -> None:
    """Raise UsageError if `name` cannot name a primitive, a module and a class."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or len(name) > LONGEST:
        better = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:LONGEST]
        raise UsageError(
            f"{name!r} cannot be the name of a primitive: it takes a lower-case letter, then "
            f"lower-case letters, digits and '_', at most {LONGEST} in all",
            hint=f"try {better or 'petal'}",
        )
    if keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} is a Python keyword and cannot name a module",
            hint="choose another name",
        )
    for info in registry.plugins:
        if name in info.offers.get("primitive", ()):
            raise UsageError(
                f"the primitive {name!r} is taken by {info.distribution} {info.version}",
                hint="choose another name",
            )
    module = name if single_file else f"artgen_{name}"
    found = importlib.util.find_spec(module)
    # A plain folder of that name has no origin.
    if found is not None and found.origin is not None:
        raise UsageError(
            f"the new module would hide the installed module {module}",
            hint="choose another name",
        )


def _class_name(name: str) -> str:
    """`soft_petal` is SoftPetal; A_b where AB would be registered as another name."""
    words = name.split("_")
    joined = all(len(word) > 1 and word[0].isalpha() for word in words)
    return "".join(map(str.capitalize, words)) if joined else name.capitalize()
