"""Spans of symmetric shapes; compiled into the kernels of shapes (see `spans`)."""

from __future__ import annotations

from artgen.compiler.jit import inline


@inline
def mirrored(spans, grid, scratch):
    """Add the mirror image at the vertical axis to the spans of a shape; the number of spans.

    Those of a row are ordered from left to right, before and after. Spans that overlap become one,
    so that an area is covered once.
    """
    rows, lefts, rights = scratch[0], scratch[1], scratch[2]
    width, axis = grid[4], -2 * grid[2] * grid[3]
    old_rows, old_lefts, old_rights = (
        rows[:spans].copy(),
        lefts[:spans].copy(),
        rights[:spans].copy(),
    )
    number, first = 0, 0
    while first < spans:
        row, last = old_rows[first], first
        while last < spans and old_rows[last] == row:
            last += 1
        begin, i, j = number, first, last - 1
        while i < last or j >= first:
            if j < first or (i < last and old_lefts[i] <= axis - old_rights[j]):
                left, right = old_lefts[i], old_rights[i]
                i += 1
            else:
                left, right = max(axis - old_rights[j], 0.0), min(axis - old_lefts[j], width)
                j -= 1
            if number > begin and left <= rights[number - 1]:
                rights[number - 1] = max(rights[number - 1], right)
            elif right > left:
                rows[number], lefts[number], rights[number] = row, left, right
                number += 1
        first = last
    return number
