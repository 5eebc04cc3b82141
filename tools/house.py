"""Figures of the house, counted from its imports and definitions: `make house`.

A room is a package of `artgen`, or a loose module on its top floor; an arrow is an import from one
room to another. A room stands above all that it imports. An arrow that runs back up is part of a
circle. Imports for type checkers alone do not count.

    python -m tools.house [CHECKOUT]    # one row a figure; of another checkout, to compare
"""

from __future__ import annotations

import ast
import functools
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import grimp

from tools.size import HOUSE, MAKERS, count_rooms

FAMILIES = "Splat|Shape|Partition|Mesh|Ink|Field|Codec"
KINDS = re.compile(
    r"\.(clip|tiles|subject|training|scenes) is (not )?None"
    r"|(if|and|or|not) [\w.]+\.(clip|tiles|subject)\b"
    r"|isinstance\([^)]*(Target|Source|ImageSet|Clip\w*)\)|is_(clip|set|tiled)\b|kind_of\("
)
LOOK_UPS = re.compile(r"(?<![.\w])(find_primitive|find_names|make_plan|resolve)\(")

Graph = dict[str, set[str]]


def read_imports(checkout: Path) -> Graph:
    """Return the modules of artgen with the modules that each imports."""
    sys.path.insert(0, str(checkout))
    graph = grimp.build_graph("artgen", exclude_type_checking_imports=True, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def room_of(module: str, packages: set[str]) -> str:
    """Return the package of a module; a loose module on the top floor is a room of its own."""
    package = module if module in packages else module.rpartition(".")[0]
    return module if package == "artgen" else package


def between_rooms(imports: Graph, packages: set[str]) -> Graph:
    """Return the arrows between rooms."""
    rooms: Graph = {}
    for module, others in imports.items():
        mine = rooms.setdefault(room_of(module, packages), set())
        mine |= {room_of(other, packages) for other in others}
    for room, others in rooms.items():
        others.discard(room)
    return rooms


def find_circles(graph: Graph) -> list[set[str]]:
    """Return the strongly connected components of more than one node (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            circle = set(stack[stack.index(node) :])
            del stack[stack.index(node) :]
            if len(circle) > 1:
                found.append(circle)

    sys.setrecursionlimit(10_000)
    for node in graph:
        if node not in index:
            visit(node)
    return found


def find_floors(graph: Graph) -> dict[str, int]:
    """Return the floor of each room, 1 for those that import no other; a circle shares one."""
    circle_of = {node: i for i, circle in enumerate(find_circles(graph)) for node in circle}

    @functools.cache
    def floor(node: str) -> int:
        group = {n for n in graph if circle_of.get(n, n) == circle_of.get(node, node)}
        below = {o for n in group for o in graph[n]} - group
        return 1 + max((floor(other) for other in below), default=0)

    return {node: floor(node) for node in graph}


def texts(checkout: Path, *folders: str) -> Iterator[tuple[Path, str]]:
    """Yield the modules below some folders with their text."""
    for folder in folders:
        for path in sorted((checkout / folder).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")


def matching(files: Iterable[tuple[Path, str]], pattern: str | re.Pattern[str]) -> list[str]:
    """Return the lines that hold a pattern, each with its file."""
    found = re.compile(pattern)
    return [
        f"{path}:{number}"
        for path, text in files
        for number, line in enumerate(text.splitlines(), 1)
        if found.search(line)
    ]


def outside_layers(checkout: Path, imports: Graph) -> list[str]:
    """Return the modules that no layer of the import contract holds."""
    config = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(
        each for each in config["tool"]["importlinter"]["contracts"] if each["type"] == "layers"
    )
    names = [name for layer in contract["layers"] for name in re.split(r"[|:\s]+", layer)]
    layers = {name if name.startswith("artgen") else f"artgen.{name}" for name in names}
    apart = {"artgen", "artgen.__main__", "artgen._version"}
    return [
        module
        for module in sorted(imports)
        if module not in apart and not any(f"{module}.".startswith(f"{layer}.") for layer in layers)
    ]


def private_abroad(imports: Graph) -> set[str]:
    """Return the private modules that another package imports."""
    found = set()
    for module, others in imports.items():
        for other in others:
            names = other.split(".")
            private = next((i for i, name in enumerate(names) if re.match(r"_[^_]", name)), None)
            holder = None if private is None else ".".join(names[:private])
            if holder not in (None, "artgen") and not f"{module}.".startswith(f"{holder}."):
                found.add(other)
    return found


def largest_class(checkout: Path) -> tuple[int, int, str]:
    """Return the lines and the methods of the longest class, and where it is."""
    sizes = []
    for path, text in texts(checkout, "artgen", "plugins"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                methods = sum(isinstance(each, ast.FunctionDef) for each in node.body)
                place = f"{path.relative_to(checkout)}:{node.name}"
                sizes.append(((node.end_lineno or 0) - node.lineno + 1, methods, place))
    return max(sizes)


def function_size(path: Path, name: str) -> tuple[int, int]:
    """Return the parameters and the lines of a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            given = node.args
            number = len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs)
            return number, (node.end_lineno or 0) - node.lineno + 1
    raise ValueError(f"{path} defines no {name}")


def public_names(checkout: Path) -> int:
    """Return how many names `artgen.__all__` has."""
    stub = (checkout / "artgen" / "__init__.pyi").read_text(encoding="utf-8")
    return len(re.findall(r"^from \.\S* import \w+ as \w+", stub, re.MULTILINE))


def measure(checkout: Path) -> dict[str, str]:
    """Return the figures of a checkout by what they are."""
    imports = read_imports(checkout)
    packages = {
        ".".join(("artgen", *path.parent.relative_to(checkout / "artgen").parts))
        for path in (checkout / "artgen").rglob("__init__.py")
    }
    rooms = between_rooms(imports, packages)
    circles = find_circles(rooms)
    floors = find_floors(rooms)
    up = sum(b in circle for circle in circles for a in circle for b in rooms[a])
    core = [
        (path, text)
        for path, text in texts(checkout, "artgen")
        if not {"families", "testing"} & set(path.relative_to(checkout).parts)
    ]
    runs = [
        (path, text)
        for path, text in core
        if path.relative_to(checkout).parts[1] in ("runner", "runs", "cli")
        and not (
            {"clip", "tiles", "samples", "set", "picture"} & set(path.relative_to(checkout).parts)
        )
    ]
    planned = [
        (path, text)
        for path, text in core
        if path.relative_to(checkout).parts[1] not in ("plan", "resolve.py")
    ]
    lines, methods, where = largest_class(checkout)
    parameters, length = function_size(checkout / "artgen/cli/fit.py", "fit")
    counted = count_rooms(checkout)
    total, plugins = sum(counted.values()), counted["plugins"] + counted[MAKERS]
    files = list(texts(checkout, "artgen"))
    svg = {p for p, t in files if re.search(r"www\.w3\.org/2000/svg|ElementTree", t)}
    png = {p for p, t in files if re.search(r"b\"(IHDR|iTXt|IDAT|IEND|pHYs)|\\x89PNG", t)}
    questions = (
        rf"(isinstance|issubclass)\(.*\b({FAMILIES})\b|\.family\b *(==|!=)|case ({FAMILIES})\("
    )
    return {
        "rooms": str(len(rooms)),
        "floors": str(max(floors.values())),
        "arrows between rooms": str(sum(map(len, rooms.values()))),
        "arrows within a circle of rooms": str(up),
        "circles of files": str(len(find_circles(imports))),
        "circles of packages": str(len(circles)),
        "modules outside the layer list": str(len(outside_layers(checkout, imports))),
        "loose modules on the top floor": str(len(list((checkout / "artgen").glob("*.py")))),
        "private modules imported by other packages": str(len(private_abroad(imports))),
        "questions about families outside them": str(len(matching(core, questions))),
        "modules outside families that import one": str(
            sum(
                any(o.startswith("artgen.families.") for o in others)
                for module, others in imports.items()
                if not module.startswith("artgen.families")
            )
        ),
        "questions about kinds of run and target": str(len(matching(runs, KINDS))),
        "look-ups of primitives and plans outside plan": str(len(matching(planned, LOOK_UPS))),
        "cli/fit.py:fit": f"{parameters} parameters, {length} lines",
        "largest class": f"{lines} lines, {methods} methods ({where})",
        "modules that know SVG": str(len(svg)),
        "modules that know chunks of PNG": str(len(png)),
        "lines with Any": str(len(matching(files, r"\bAny\b"))),
        "names in artgen.__all__": str(public_names(checkout)),
        "lines that bear code": f"{total - plugins:,}; {total:,} with plugins",
    }


def main(arguments: list[str]) -> None:
    """Print one row a figure."""
    for name, value in measure(Path(arguments[0]).resolve() if arguments else HOUSE).items():
        print(f"{name:<48} {value}")


if __name__ == "__main__":
    main(sys.argv[1:])
