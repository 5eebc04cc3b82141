"""Where a part lies and how strong it is there, as data: what picks parts by hand.

Ellipse and weight of a footprint are recorded as for its shaders. Each becomes a *tape*: values in
their order, which JavaScript computes for one part and one offset (`played` in `start.js`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from artgen.compiler.footprints import Footprint
from artgen.compiler.ir import DX, DY, IR
from artgen.compiler.record import trace_drawing


def describe_footprint(splat: Footprint, options: Collection[str] = ()) -> dict[str, Any]:
    """The tapes of `ellipse` (half axes and angle) and `weight`. Raises Untraceable.

    `options`, names of options that are numbers, are inputs called ``option.NAME``.
    """
    ir = trace_drawing(splat, options)
    return {"ellipse": tape(ir, ir.ellipse), "weight": tape(ir, [ir.weight])}


def tape(ir: IR, results: Sequence[int]) -> dict[str, object]:
    """Values as a number, the name of an input, or an operation and the places of its arguments."""
    names = {number: " ".join([name, *map(str, at)]) for (name, at), number in ir.inputs.items()}
    names |= {DX: "dx", DY: "dy"}
    read, waiting = set(), list(results)
    while waiting:
        number = waiting.pop()
        waiting += () if number in read else ir.values[number].arguments
        read.add(number)
    order = sorted(read)
    place = {number: k for k, number in enumerate(order)}
    values = []
    for number in order:
        operation, arguments, _, constant = ir.values[number]
        given = names.get(number, constant)
        values.append([operation, *(place[n] for n in arguments)] if given is None else given)
    return {"values": values, "results": [place[number] for number in results]}
