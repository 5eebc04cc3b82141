"""The rows of pixels that a shape covers, one after the other; part of the kernels of shapes."""

from artgen.compiler.jit import inline
from artgen.families.shape.function_types import call_trace
from artgen.families.shape.span_kernels import cover


@inline
def trace_rows(functions, kind, genes, first, last, sample_rows, grid, scratch):
    """Find the spans of a shape in the rows of pixels from `first` to before `last`; their number.

    `functions` are those of the shapes (see `function_types`); the grid has `sample_rows` per row
    of pixels, and the scratch (see `span_kernels`) room for so many.
    """
    return call_trace(
        *(functions.trace, kind, genes, functions.tables),
        *(first * sample_rows, last * sample_rows, grid, scratch[8]),
    )


@inline
def next_row(scratch, span, spans, sample_rows, changes):
    """The row of pixels of span number `span`, and what `cover` gives of all its spans."""
    row = scratch[0][span] // sample_rows
    span, low, high = cover(scratch, span, spans, (row + 1) * sample_rows, changes)
    return row, span, low, high
