"""Write what follows from the declared keys of a recipe: `make declared`.

The tables of keys in docs/recipes.md are those of `artgen.recipe.tables`, with the docstrings of
the keys, and the arguments of `artgen.fit` that type checkers read are theirs too. The tests
compare.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from itertools import pairwise
from pathlib import Path

from artgen.recipe import Recipe, keywords
from artgen.recipe.table import Table

STUB = Path(__file__).parents[1] / "artgen" / "api" / "calls.pyi"
PAGE = Path(__file__).parents[1] / "docs" / "recipes.md"

_HEAD = "| key | value | default |\n|---|---|---|\n"


def keys_table(cls: type[Table]) -> str:
    """The rows of a table's keys, those that are tables themselves left out."""
    docs = docstrings(cls)
    rows = []
    for each in cls.declared().values():
        if each.field in docs:
            meaning, _, usually = docs[each.field].rstrip(".").partition(". Default: ")
            row = f"| `{each.name}` | {meaning[:1].lower() + meaning[1:]} | {usually} |\n"
            rows.append(row.replace("|  |", "| |"))
    return _HEAD + "".join(rows)


def docstrings(cls: type[Table]) -> dict[str, str]:
    """The docstrings of the keys of a table, each in one line, by their fields."""
    found = {}
    for owner in dict.fromkeys(each.owner for each in cls.declared().values()):
        [body] = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
        assert isinstance(body, ast.ClassDef)
        for key, doc in pairwise(body.body):
            match key, doc:
                case ast.AnnAssign(ast.Name(field)), ast.Expr(ast.Constant(str(text))):
                    found[field] = " ".join(text.split())
    return found


def recipes_page(text: str) -> str:
    """The page with the tables as they are declared."""
    tables = {name: each.table for name, each in Recipe.declared().items() if each.table}
    start, end = text.index("## Keys"), text.index("## Engines")
    parts = re.split(r"(^`\[+(\w+)\]+`)", text[start:end], flags=re.MULTILINE)
    written = [_with_table(parts[0], Recipe)]
    for heading, name, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        written += [heading, _with_table(rest, tables[name] or Recipe)]
    return text[:start] + "".join(written) + text[end:]


def _with_table(text: str, cls: type[Table]) -> str:
    rows = re.compile(r"^\| key \|.*\n(\|.*\n)+", re.MULTILINE)
    return rows.sub(lambda _: keys_table(cls), text, count=1)


_STUB = '''"""The arguments of `artgen.fit` and `artgen.stream`, written by `make declared`."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from artgen.api.streams import Stream
from artgen.art import Art
from artgen.engines import Engine
from artgen.events import Event
from artgen.losses import LossFunction
from artgen.primitives import Primitive
from artgen.recipe.tables import Quality

'''
_FUNCTION = """def {name}(
    target: Any,
    primitive: str | type[Primitive] = "gaussian",
    *,
{keys}    crop: str | None = None,
    engine_options: Mapping[str, Any] | None = None,
    polish: bool = False,
    observe: Callable[[Event], bool | None] | None = None,
    **options: Any,
) -> {result}: ...
"""


def stub() -> str:
    """The types of the arguments of `artgen.fit`."""
    keys = "".join(
        f"    {name}: {key.keyword_type} = {quoted(key.keyword_default)},\n"
        for name, _, key in keywords()
    )
    results = {"fit": "Art", "stream": "Stream"}
    return _STUB + "".join(
        _FUNCTION.format(name=name, keys=keys, result=result) for name, result in results.items()
    )


def quoted(default: str | bool | None) -> str:
    """A default as Python code."""
    return f'"{default}"' if isinstance(default, str) else str(default)


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
    PAGE.write_text(recipes_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
