"""Lines that bear code, per room, beside the budget of each: `make size`; `make lint` checks it.

A line bears code if a token of Python stands in it: no blank lines, comments or docstrings. It is a
mirror, not golf: nobody shortens a name or joins lines for it. Who needs a larger budget raises the
number in `budget.toml`, in a commit that says why.

    python -m tools.size            # the table
    python -m tools.size --check    # exit 1 where a room is over its budget
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
import tomllib
from collections import Counter
from pathlib import Path

HOUSE = Path(__file__).parents[1]
BUDGET = Path(__file__).with_name("budget.toml")

_BARE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
MAKERS = "plugins/artgen_makers"


def count_lines(text: str) -> int:
    """Return how many lines of a module bear code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _BARE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                lines.difference_update(range(node.lineno, (node.end_lineno or 0) + 1))
    return len(lines)


def count_rooms(house: Path) -> Counter[str]:
    """Return the lines of each room: a folder of `artgen`, its loose files, and the plugins."""
    rooms: Counter[str] = Counter()
    for path in sorted(house.glob("artgen/**/*.py")):
        inside = path.relative_to(house / "artgen").parts
        rooms[
            "/".join(("artgen", *inside[: 2 if inside[0] == "families" else 1][: len(inside) - 1]))
        ] += count_lines(path.read_text(encoding="utf-8"))
    for path in sorted(house.glob("plugins/**/*.py")):
        rooms[MAKERS if "artgen_makers" in path.parts else "plugins"] += count_lines(
            path.read_text(encoding="utf-8")
        )
    return rooms


def main(arguments: list[str]) -> int:
    """Print the table, and return 1 where `--check` finds a room over its budget."""
    budget: dict[str, int] = tomllib.loads(BUDGET.read_text(encoding="utf-8"))["rooms"]
    rooms = count_rooms(HOUSE)
    faults = []
    for room in sorted({*rooms, *budget}, key=lambda room: -rooms[room]):
        lines, allowed = rooms[room], budget.get(room, 0)
        print(f"{lines:7,} of {allowed:7,}  {room}{'  over' * (lines > allowed)}")
        if lines > allowed:
            faults.append(f"{room} has {lines - allowed} lines too many")
        elif room not in rooms:
            faults.append(f"{room} is no room")
    core = sum(lines for room, lines in rooms.items() if not room.startswith("plugins"))
    print(f"{core:7,} in artgen, {sum(rooms.values()):,} with plugins")
    if "--check" in arguments:
        for fault in faults:
            print(f"error: {fault}: see tools/budget.toml", file=sys.stderr)
        return int(bool(faults))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
