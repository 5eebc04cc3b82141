"""Change the code in small ways, one at a time, and count how many changes some test notices.

A mutant is a module with one comparison, operation, constant, condition or result changed. The
tests that belong to its module are run in a copy of the repository; a mutant that fails one
is caught. What survives is printed: a line that none of them depends on, or a change that changes
nothing.

    python -m tools.mutants [--sample N] [--seed N] [MODULE ...]    # some of `MODULES`
    python -m tools.mutants --report mutants.json --minutes 60      # again: goes on where it ended

The report is JSON: the sample, and of each mutant its place, its result (``caught``, ``hung``,
``survived``, null before it was tried) and its seconds.

After R. A. DeMillo, R. J. Lipton and F. G. Sayward, "Hints on Test Data Selection", 1978.
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

MODULES = {
    "artgen/base/options.py": ("options", "recipe"),
    "artgen/base/philox.py": ("studio",),
    "artgen/film/timeline.py": ("film", "morph"),
    "artgen/losses/_pixel.py": ("losses",),
    "artgen/losses/metrics.py": ("metrics",),
    "artgen/raster/sampling.py": ("shapes", "plotter"),
    "artgen/recipe/settings.py": ("settings",),
    "plugins/artgen_plugins/sets/idx.py": ("image_sets",),
    "artgen/targets/learning.py": ("palette",),
    "artgen/targets/palette.py": ("palette",),
    "artgen/values/canvas.py": ("canvas",),
}
"""Modules, and the files of tests that are to notice their mutants."""

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATIONS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}


def change(node: ast.AST) -> ast.AST | None:
    """Return a node changed in a small way; None for one that is left alone."""
    changed = copy.deepcopy(node)
    match changed:
        case ast.Compare(ops=[operator]) if type(operator) in _COMPARISONS:
            changed.ops = [_COMPARISONS[type(operator)]()]
        case ast.BinOp(op=operator, left=left) if type(operator) in _OPERATIONS:
            if isinstance(left, ast.Constant) and isinstance(left.value, str):
                return None
            changed.op = _OPERATIONS[type(operator)]()
        case ast.BoolOp(op=operator):
            changed.op = ast.Or() if isinstance(operator, ast.And) else ast.And()
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            return operand
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            changed.test = ast.UnaryOp(ast.Not(), test)
        case ast.Constant(value=bool(value)):
            changed.value = not value
        case ast.Constant(value=int() | float() as value):
            changed.value = value + 1
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            changed.value = ast.Constant(None)
        case _:
            return None
    return changed


def places(tree: ast.Module) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Yield where a node that can be changed hangs: its parent, the field, the index in a list.

    Annotations and imports are left alone.
    """
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if name in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(node, ast.AST) and change(node) is not None:
                    yield parent, name, index


def mutants(source: str) -> Iterator[tuple[str, int, str]]:
    """Yield every mutant of a module: its source, the line that differs, and that line."""
    tree = ast.parse(source)
    for parent, name, index in places(tree):
        node = getattr(parent, name) if index is None else getattr(parent, name)[index]
        changed = change(node)
        assert changed is not None
        _put(parent, name, index, changed)
        text = ast.unparse(ast.fix_missing_locations(tree))
        said = ast.unparse(changed).splitlines()[0]
        _put(parent, name, index, node)
        yield text, node.lineno, said


def _put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def copy_repository(folder: Path) -> None:
    """Copy the files that git knows into a folder."""
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, folder / name)


def result(folder: Path, tests: Sequence[str], limit: float) -> str:
    """Run some files of tests in a copy of the repository.

    Returns ``caught`` if one failed, ``hung`` if they took longer than `limit` seconds, which is
    noticed too, else ``survived``.
    """
    line = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    line += ["-m", "not browser", *(f"tests/test_{each}.py" for each in tests)]
    paths = os.pathsep.join([str(folder), str(folder / "plugins")])
    cache = os.environ.get("ARTGEN_CACHE", str(Path(".cache").resolve()))
    environment = {**os.environ, "PYTHONPATH": paths, "ARTGEN_CACHE": cache}
    # Two mutants of one length within a second would share their bytecode.
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    quiet = subprocess.DEVNULL
    # A group of its own: what the tests started ends with them.
    with subprocess.Popen(
        line, cwd=folder, env=environment, stdout=quiet, stderr=quiet, start_new_session=True
    ) as process:
        try:
            return "caught" if process.wait(limit) else "survived"
        except subprocess.TimeoutExpired:
            return "hung"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def plan(modules: Sequence[str], sample: int, seed: int) -> dict[str, Any]:
    """Draw a sample: as many mutants of each module, as far as it has them, in turn.

    The same sources and seed give the same sample.
    """
    rng, drawn = random.Random(seed), []
    for number, module in enumerate(modules):
        every = list(mutants(Path(module).read_text(encoding="utf-8")))
        share = sample * (number + 1) // len(modules) - sample * number // len(modules)
        for turn, index in enumerate(rng.sample(range(len(every)), min(share, len(every)))):
            _, line, said = every[index]
            place = {"module": module, "index": index, "line": line, "now": said}
            drawn.append((turn, number, {**place, "result": None, "seconds": None}))
    drawn.sort(key=lambda each: each[:2])
    digests = {each: hashlib.sha256(Path(each).read_bytes()).hexdigest() for each in modules}
    return {
        "seed": seed,
        "sample": sample,
        "sources": digests,
        "mutants": [each for *_, each in drawn],
    }


def try_all(report: dict[str, Any], path: Path | None, limit: float, until: float) -> None:
    """Try what has no result yet, until a time; write the report after each.

    Raises `ValueError` where tests fail without a mutant.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_repository(folder)
        sound = set()
        for mutant in report["mutants"]:
            if mutant["result"] is not None:
                continue
            if time.monotonic() > until:
                break
            module = mutant["module"]
            if module not in sound and result(folder, MODULES[module], limit) != "survived":
                raise ValueError(f"{module}: its tests fail without a mutant, or take too long")
            sound.add(module)
            source = Path(module).read_text(encoding="utf-8")
            text, *_ = list(mutants(source))[mutant["index"]]
            (folder / module).write_text(text, encoding="utf-8")
            start = time.monotonic()
            mutant["result"] = result(folder, MODULES[module], limit)
            mutant["seconds"] = round(time.monotonic() - start, 1)
            (folder / module).write_text(source, encoding="utf-8")
            if mutant["result"] == "survived":
                print(f"  survives: {module}:{mutant['line']}: {mutant['now']}", flush=True)
            if path:
                beside = path.with_suffix(".part")
                beside.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
                beside.replace(path)


def main(given: Sequence[str] | None = None) -> int:
    """Try a sample of mutants; 0, however many survive."""
    parser = argparse.ArgumentParser("python -m tools.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="some of MODULES")
    parser.add_argument("--sample", type=int, default=200, help="mutants, over all modules")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--report", type=Path, help="JSON file; what it holds is not tried again")
    parser.add_argument("--limit", type=float, default=600, help="seconds for one mutant")
    parser.add_argument("--minutes", type=float, default=1e9, help="after which no other begins")
    options = parser.parse_args(given)
    modules = options.modules or [*MODULES]
    if unknown := [each for each in modules if each not in MODULES]:
        parser.error(f"there is no {', '.join(unknown)} in MODULES")
    report = plan(modules, options.sample, options.seed)
    if options.report and options.report.exists():
        kept = json.loads(options.report.read_text(encoding="utf-8"))
        if any(kept[key] != report[key] for key in ("seed", "sample", "sources")):
            parser.error(f"{options.report} is of another sample or other sources")
        report = kept
    try:
        until = time.monotonic() + 60 * options.minutes
        try_all(report, options.report, options.limit, until)
    except ValueError as error:
        print(error)
        return 1
    for module in modules:
        count = Counter(e["result"] for e in report["mutants"] if e["module"] == module)
        print(f"{module}: {_noticed(count)} of {_tried(count)} caught")
    count = Counter(each["result"] for each in report["mutants"])
    print(f"{_noticed(count)} of {_tried(count)} mutants caught, {count[None]} not tried")
    return 0


def _noticed(count: Counter[str | None]) -> int:
    return count["caught"] + count["hung"]


def _tried(count: Counter[str | None]) -> int:
    return count.total() - count[None]


if __name__ == "__main__":
    sys.exit(main())
