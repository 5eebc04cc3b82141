"""Draw the figure of docs/prefix-sums.md: python docs/images/prefix_sums.py."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
COLUMNS, ROWS, CELL = 26, 15, 22
CORNERS = ((14.3, 1.2), (22.6, 9.4), (5.2, 13.4))
STYLE = """\
<style>
.grid { stroke: #9993; stroke-width: 1 }
.run { fill: #e8703a33 }
.end { fill: #e8703a }
.outline { fill: none; stroke: #7a7a86; stroke-width: 1.5 }
text { fill: #7a7a86; font: 15px system-ui, sans-serif }
</style>"""


def runs() -> list[tuple[int, float, float]]:
    """Where the triangle begins and ends in the middle of each row, in cells."""
    found = []
    for row in range(ROWS):
        y = row + 0.5
        ends = []
        for (xa, ya), (xb, yb) in zip(CORNERS, CORNERS[1:] + CORNERS[:1], strict=True):
            if (ya <= y) != (yb <= y):
                ends.append(xa + (y - ya) * (xb - xa) / (yb - ya))
        if ends:
            found.append((row, min(ends), max(ends)))
    return found


def main() -> None:
    """Write the figure beside this file."""
    width, height = COLUMNS * CELL, ROWS * CELL
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {width + 2} {height + 30}">',
        "<title>Only the two ends of each row of a triangle are looked at</title>",
        STYLE,
    ]
    for column in range(COLUMNS + 1):
        x = column * CELL
        lines.append(f'<line class="grid" x1="{x}" y1="0" x2="{x}" y2="{height}"/>')
    for row in range(ROWS + 1):
        y = row * CELL
        lines.append(f'<line class="grid" x1="0" y1="{y}" x2="{width}" y2="{y}"/>')
    for row, left, right in runs():
        x, y, size = left * CELL, row * CELL, (right - left) * CELL
        lines.append(f'<rect class="run" x="{x:.1f}" y="{y}" width="{size:.1f}" height="{CELL}"/>')
        for end in (left, right):
            x = int(end) * CELL
            lines.append(
                f'<rect class="end" x="{x + 2}" y="{y + 2}" width="{CELL - 4}" '
                f'height="{CELL - 4}" rx="3"/>'
            )
    corners = " ".join(f"{x * CELL:.1f},{y * CELL:.1f}" for x, y in CORNERS)
    lines.append(f'<polygon class="outline" points="{corners}"/>')
    row, left, right = runs()[7]
    y = (row + 0.7) * CELL
    lines.append(f'<text x="{left * CELL - 6:.1f}" y="{y:.1f}" text-anchor="end">S(x₀)</text>')
    lines.append(f'<text x="{right * CELL + 26:.1f}" y="{y:.1f}">S(x₁)</text>')
    count, cells = 2 * len(runs()), sum(round(right - left) for _, left, right in runs())
    lines.append(
        f'<text x="0" y="{height + 22}">{count} sums looked up instead of {cells} pixels</text>'
    )
    (HERE / "prefix-sums.svg").write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
