"""Create a new plugin from templates.

The templates are real files beside this module. A package takes all of `templates/package` and the
file of its family or kind; a loose file is that alone, with its hooks.
"""

from __future__ import annotations

import builtins
import importlib.util
import keyword
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Literal, cast

from artgen._version import __version__
from artgen.base.errors import UsageError
from artgen.registry import HOOKS, Kind, Registry

__all__ = ["FAMILIES", "OTHERS", "Family", "Scaffold", "create"]

Family = Literal["splat", "field", "shape", "partition", "mesh", "ink", "codec"]

FAMILIES: dict[str, str] = {
    "splat": "Soft ovals at any angle.",
    "field": "A sum of plane waves.",
    "shape": "Stars at any angle.",
    "partition": "Cells whose sites have a reach of their own.",
    "mesh": "Triangles that share the colours of their vertices.",
    "ink": "Dots on a square grid.",
    "codec": "A small network that encodes and decodes pictures.",
}
"""The families with a template, and a one-line summary of each example."""

OTHERS: dict[str, tuple[str, str]] = {
    "loss": ("Squared error in which brightness counts more.", "artgen fit --loss {}"),
    "target": ("Rings, as many as asked for.", "artgen fit {}:8"),
    "engine": ("Random changes, of which the better are kept.", "artgen fit -p {}_disc"),
    "exporter": ("A picture as plain numbers (PPM).", "artgen render FILE.art -o picture.{}"),
    "look": ("Few triangles in four inks, on cream paper.", "artgen fit --look {}"),
    "maker": ("Square tiles of few colours, as a plan.", "artgen make {} sample:cat"),
    "form": ("A circle that opens on the picture.", "artgen render FILE.art -o film.mp4 --film {}"),
    "view": (
        "Half-shut eyes, which see what is bright alone.",
        "artgen fit sample:cat --view {}:sample:coffee",
    ),
    "edit": ("Parts fade towards gray.", "artgen edit FILE.art {}=0.5"),
    "run": ("A picture whose still has a frame.", "artgen fit --set kind.name={}"),
    "executor": ("One run after the other, announced.", "artgen fit --seeds 1..2 --on {}"),
    "command": ("Prints how light a drawing is.", "artgen {} FILE.art"),
    "observer": ("Reports each new record.", "artgen fit"),
}
"""The other kinds of plugins with a template: a summary of each example, and a command that uses it
by its name."""

TEMPLATES = Path(__file__).parent / "templates"
TARGETS: dict[str, str] = {"codec": "sample:digits"}
"""Targets of families that cannot be fitted to a photograph."""
LONGEST = 24
"""The longest name, so that no line of the templates gets too long."""


@dataclass(frozen=True)
class Scaffold:
    """The `files` that were written for `name`, and a command `use` that needs it."""

    name: str
    files: tuple[Path, ...]
    single_file: bool
    use: str
    family: str

    def next_steps(self, python: str) -> Iterator[str]:
        """Commands to try next; `python` is the interpreter that artgen runs in."""
        source = next(path for path in self.files if path.name == f"{self.name}.py")
        flag = f" --plugin {source}" if self.single_file else ""
        if not self.single_file:
            yield f"{python} -m pip install -e {source.parents[2]}"
        yield f"{self.use}{flag}"
        if self.single_file and f" -p {self.name}" in self.use:
            yield f"{self.use.partition(' -p ')[0]} --watch{flag}"
        if self.family == "splat":
            yield f"artgen studio -p {self.name}{flag} --open"
        yield f"artgen plugins check {source if self.single_file else self.name}"
        yield f"edit {source}"


def create(
    name: str, family: Family | Kind, registry: Registry, folder: Path, *, single_file: bool
) -> Scaffold:
    """Write a new plugin into `folder`: ``artgen-NAME/``, or ``NAME.py`` as a `single_file`.

    `family` is that of a primitive, or another kind of plugin.

    Raises UsageError for a name that cannot be used or is taken, and for files that exist;
    OutputError where they cannot be written.
    """
    from artgen.hookspecs import PLUGIN_API
    from artgen.output import atomic_write, probe_folder

    kind: Kind = "primitive" if family in FAMILIES else cast(Kind, family)
    _check_name(name, family, kind, registry, single_file)
    module = f"artgen_{name}"
    fit = f"artgen fit {TARGETS.get(family, '')}".rstrip()
    summary, use = OTHERS.get(family) or (FAMILIES[family], f"{fit} -p {{}}")
    words = {
        "name": name,
        "class_name": _class_name(name),
        "module": module,
        "distribution": f"artgen-{name.replace('_', '-')}",
        "summary": summary,
        "use": use.format(name),
        "kind": kind,
        "title": f"{'An' if kind[0] in 'aeio' else 'A'} {kind}",
        "version": __version__,
        "api": str(PLUGIN_API),
        "import_artgen": "import artgen\n\n" if single_file else "",
        "imports": "from artgen import Spec, hookimpl",
    }
    if kind == "observer":
        words["imports"] = (
            f'from {module}.{name} import artgen_observe\n\n__all__ = ["artgen_observe"]'
        )
    words["hooks"] = _hooks(kind, words, f'"{module}.{name}:{{}}"')
    top = folder / (f"{name}.py" if single_file else words["distribution"])
    files = {
        "pyproject.toml": "package/pyproject.toml",
        "README.md": "package/README.md",
        f"src/{module}/__init__.py": "package/init.py",
        f"src/{module}/{name}.py": f"{family}.py",
        f"tests/test_{name}.py": "package/test.py",
    }
    contents = {top: f"{family}.py"} if single_file else {top / p: t for p, t in files.items()}
    if top.exists() or top.is_symlink():
        raise UsageError(f"{top} exists", hint="choose another name, or move it away")
    try:
        for path, template in contents.items():
            text = _template(template).substitute(words)
            if single_file and kind != "primitive":
                text += _hooks(kind, words, "{}", "artgen.")
            probe_folder(path.parent)
            atomic_write(path, text.encode(), durable=False)
    except BaseException:
        # Leave no incomplete plugin behind.
        shutil.rmtree(top, ignore_errors=True)
        raise
    return Scaffold(name, tuple(contents), single_file, words["use"], family)


def _hooks(kind: Kind, words: Mapping[str, str], load: str, prefix: str = "") -> str:
    """Return the hooks of a plugin; `load` is a format for the location of an object."""
    name, cls, summary = words["name"], words["class_name"], words["summary"]
    offers: list[tuple[Kind, str, str, str]] = [
        (kind, name, summary, cls if kind in ("primitive", "engine", "maker", "run") else name)
    ]
    if kind == "engine":
        offers.append(("primitive", f"{name}_disc", f"Soft discs, for {name}.", f"{cls}Disc"))
    if kind == "observer":
        return ""
    return "".join(
        _template("hook.py").substitute(
            prefix=prefix, hook=HOOKS[kind], name=name, summary=summary, load=load.format(where)
        )
        for kind, name, summary, where in offers
    )


def _template(name: str) -> Template:
    return Template((TEMPLATES / f"{name}.template").read_text(encoding="utf-8"))


def _check_name(name: str, family: str, kind: Kind, registry: Registry, single_file: bool) -> None:
    """Raise UsageError if `name` cannot name an object of the kind, a module and a class."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or len(name) > LONGEST:
        better = re.sub(r"[^a-z0-9]+", "_", name.lower())[:LONGEST]
        better = better.lstrip("_0123456789").rstrip("_")
        raise UsageError(
            f"{name!r} cannot be the name of a {kind}: it takes a lower-case letter, then "
            f"lower-case letters, digits and '_', at most {LONGEST} in all",
            hint=f"try {better or 'petal'}",
        )
    problem = next(_problems(name, family, kind, registry, single_file), None)
    if problem is not None:
        raise UsageError(problem, hint="choose another name")


def _problems(
    name: str, family: str, kind: Kind, registry: Registry, single_file: bool
) -> Iterator[str]:
    """Why a well-formed name cannot be used for an object of the kind, a module and a class."""
    if keyword.iskeyword(name):
        yield f"{name!r} is a Python keyword and cannot name a module"
    # What a template uses must not be hidden by what it defines: a function would call itself.
    template = _template(f"{family}.py").template
    for own, place in ((name, "name"), (_class_name(name), "class_name")):
        defined = re.search(rf"^(def |class )?\$\{{?{place}\b", template, re.MULTILINE)
        imported = re.search(rf"^(from .+ )?import .*\b{own}\b", template, re.MULTILINE)
        used = re.search(rf"\b{own}(\(|\.\w)", template)
        if defined and used and (imported or own in dir(builtins)):
            yield f"{own!r} is a name that a new {kind} uses itself"
    for info in registry.plugins:
        if name in info.offers.get(kind, ()):
            yield f"the {kind} {name!r} is taken by {info.distribution} {info.version}"
    module = name if single_file else f"artgen_{name}"
    found = importlib.util.find_spec(module)
    # A plain folder of that name has no origin.
    if found is not None and found.origin is not None:
        yield f"the new module would hide the installed module {module}"


def _class_name(name: str) -> str:
    """`soft_petal` is SoftPetal; A_b where AB would be registered as another name."""
    words = name.split("_")
    joined = all(len(word) > 1 and word[0].isalpha() for word in words)
    return "".join(map(str.capitalize, words)) if joined else name.capitalize()
