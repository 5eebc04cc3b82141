"""Names that are bound before the text of a kernel module that is compiled for a plugin.

`spans.load_kernels` and `partitions.load_partition_kernels` write them. Kernel modules import them
for type checkers only.
"""

from __future__ import annotations

from typing import Any

line: Any
"""The function of a partition."""

random: Any
"""The functions of a partition, or of shapes, where the kind comes first."""
mutate: Any

valid: Any
"""Functions of shapes; the kind comes first."""
trace: Any

VERTICES: int
"""The sizes that `span_kernels.make_scratch` takes."""
CROSSINGS: int

GENES: Any
"""The number of genes of each kind, int64 [kinds]."""

CHANCES: Any
"""The cumulative shares of the kinds, float64 [kinds]."""

SEARCHED: bool
"""Whether `climb` searches the alpha of a shape."""
