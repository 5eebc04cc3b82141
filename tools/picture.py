"""The picture of the house in docs/architecture.md, drawn from its imports: `make house`.

Each box is a room, a folder of `artgen`. It stands on a floor above all rooms that it imports. A
line is an import that no path through other rooms implies: as few lines as tell all.

    python -m tools.picture            # write docs/images/house.svg
    python -m tools.picture --check    # exit 1 where the imports are no longer those of the picture
"""

from __future__ import annotations

import ast
import sys
import textwrap
from html import escape

from tools.house import Graph, find_circles, find_floors, read_imports
from tools.size import HOUSE

PICTURE = HOUSE / "docs" / "images" / "house.svg"

WIDTH, ROOM, HEIGHT, FLOOR = 1180, 212, 70, 100
"""Widths and heights in pixels: of the picture, of a room, and from floor to floor."""

HIDDEN = {"artgen", "artgen._version", "artgen.__main__"}


def rooms_of(imports: Graph) -> Graph:
    """Return what each room on the top floor of `artgen` imports; the families are one room."""
    rooms: Graph = {}
    for module, others in imports.items():
        if module in HIDDEN:
            continue
        mine = rooms.setdefault(_room(module), set())
        mine |= {_room(other) for other in others if other not in HIDDEN}
    for room, others in rooms.items():
        others.discard(room)
    return rooms


def _room(module: str) -> str:
    return module.split(".")[1]


def reduce_lines(rooms: Graph) -> Graph:
    """Return the arrows that no longer path implies (the transitive reduction)."""
    below: Graph = {}

    def reach(room: str) -> set[str]:
        if room not in below:
            below[room] = set(rooms[room])
            for other in rooms[room]:
                below[room] |= reach(other)
        return below[room]

    return {
        room: others - set().union(*(reach(other) for other in others))
        for room, others in rooms.items()
    }


def summarise(room: str) -> str:
    """Return the first line of a room's docstring, without its full stop."""
    path = HOUSE / "artgen" / room
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].rstrip(".")


def draw(rooms: Graph) -> str:
    """Return the picture as SVG."""
    floors = find_floors(rooms)
    lines = reduce_lines(rooms)
    rows = [
        sorted(room for room in rooms if floors[room] == floor)
        for floor in range(1, 1 + max(floors.values()))
    ]
    places = {room: (i + 0.5) / len(row) for row in rows for i, room in enumerate(row)}
    above = {room: {o for o in rooms if room in lines[o]} for room in rooms}
    for sweep in range(24):
        # A room moves to the mean place of those that it is tied to, below and above in turn.
        ties = lines if sweep % 2 == 0 else above
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = {
                room: sum(places[o] for o in ties[room]) / len(ties[room])
                if ties[room]
                else places[room]
                for room in row
            }
            row.sort(key=lambda room: (round(wanted[room], 6), room))
            for i, room in enumerate(row):
                places[room] = (i + 0.5) / len(row)
    height = FLOOR * len(rows) + 24
    boxes, strokes = [], []
    corner = {
        room: (places[room] * WIDTH, height - 12 - FLOOR * floors[room] + (FLOOR - HEIGHT) / 2)
        for room in rooms
    }
    for room in sorted(rooms):
        x, y = corner[room]
        for other in sorted(lines[room]):
            ox, oy = corner[other]
            down = y + HEIGHT
            middle = (down + oy) / 2
            strokes.append(
                f'<path d="M{x:.0f} {down:.0f}C{x:.0f} {middle:.0f}'
                f' {ox:.0f} {middle:.0f} {ox:.0f} {oy:.0f}"/>'
            )
        width = min(ROOM, WIDTH / len(rows[floors[room] - 1]) - 8)
        words = textwrap.wrap(summarise(room), 37, max_lines=3, placeholder=" …")
        said = "".join(
            f'<tspan x="{x:.0f}" dy="{13 if number else 17}">{escape(line)}</tspan>'
            for number, line in enumerate(words)
        )
        boxes.append(
            f'<rect x="{x - width / 2:.0f}" y="{y:.0f}" width="{width:.0f}" height="{HEIGHT}"/>'
            f'<text x="{x:.0f}" y="{y + 20:.0f}">{room}<tspan class="s">{said}</tspan></text>'
        )
    style = (
        "rect{fill:#fdf6ec;stroke:#5b4636;rx:6px}"
        "path{fill:none;stroke:#b08968;stroke-width:1.1;opacity:.75}"
        "text{font:600 15px Georgia,serif;fill:#2b2118;text-anchor:middle}"
        ".s{font:10.5px Georgia,serif;fill:#6b5646}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-label="The rooms of artgen and their imports, which all point down">\n'
        f"<style>{style}</style>\n"
        f'<rect width="{WIDTH}" height="{height}" style="fill:#fffdf9;stroke:none"/>\n'
        + "\n".join([*strokes, *boxes])
        + "\n</svg>\n"
    )


def main(arguments: list[str]) -> int:
    """Write the picture; return 1 for modules in a circle, or if `--check` finds another one."""
    imports = read_imports(HOUSE)
    rooms = rooms_of(imports)
    if circles := [*find_circles(rooms), *find_circles(imports)]:
        print(f"error: rooms or modules import each other: {circles}", file=sys.stderr)
        return 1
    text = draw(rooms)
    if "--check" in arguments:
        if PICTURE.exists() and PICTURE.read_text(encoding="utf-8") == text:
            return 0
        print(
            f"error: {PICTURE.relative_to(HOUSE)} shows other imports; try: make house",
            file=sys.stderr,
        )
        return 1
    PICTURE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
