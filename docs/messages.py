"""Print every message and help text of artgen as one list, to be read as a whole.

    python docs/messages.py

Messages are taken from the source: the texts given to errors, notices and options. What they
insert is shown as {...}. Then follows what `--help-all` prints for every command.
"""

from __future__ import annotations

import ast
import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from artgen.cli import main

ROOT = Path(__file__).parents[1]

SOURCES = ROOT / "artgen", ROOT / "plugins/artgen_plugins", ROOT / "plugins/artgen_makers"

SPEAKERS = {
    *("UsageError", "InputError", "PluginError", "OutputError", "OutOfMemory", "Diverged"),
    *("Interrupted", "PydanticCustomError", "ValueError", "broken", "Notice", "say", "report"),
    *("option", "argument", "switch", "plugin_code", "_check", "_notice", "did_you_mean"),
    *("output_option", "output", "_bind"),
}
"""Functions and classes whose texts are read by users."""

COMMANDS = (
    *("--help", "fit --help-all", "render --help-all", "morph --help-all", "compare --help-all"),
    *("edit --help-all", "looks --help-all", "make --help-all"),
    *("info --help-all", "doctor --help-all", "plot --help-all", "studio --help-all"),
    *("gallery build --help-all", "gallery check --help-all", "gallery reel --help-all"),
    *("gallery open --help-all", "plugins list --help-all", "plugins show --help-all"),
    *("plugins check --help-all", "plugins new --help-all", "plugins search --help-all"),
)


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """The messages of a file, each with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name in SPEAKERS:
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            texts = [text for each in given if (text := _text(each)) and " " in text]
            if texts:
                yield node.lineno, "  |  ".join(texts)


def _text(node: ast.expr) -> str:
    """A string as it is written, with {...} for what is inserted; "" for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(each) or "{...}" for each in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return f"{_text(node.left)}{_text(node.right)}"
    if isinstance(node, ast.IfExp):
        return f"{_text(node.body)} / {_text(node.orelse)}".strip(" /")
    return ""


def _print_all() -> None:
    for path in sorted(path for source in SOURCES for path in source.rglob("*.py")):
        found = sorted(messages(path))
        if found:
            print(f"\n# {path.relative_to(ROOT)}")
        for line, text in found:
            print(f"{line:>5}  {text}")
    for command in COMMANDS:
        words = io.StringIO()
        with contextlib.redirect_stdout(words):
            main(command.split())
        print(f"\n# artgen {command}\n{words.getvalue()}")


if __name__ == "__main__":
    sys.exit(_print_all())
