"""Names that are bound before the text of a kernel module that is compiled for a plugin.

The families that compile kernels together with functions of plugins write them. Kernel modules
import them for type checkers only: functions such as `line`, `random`, `mutate`, `valid`, `trace`;
what the kernels of a family's individuals define for `generation_kernels`; and the constants

- `VERTICES` and `CROSSINGS`, the sizes that `span_kernels.make_scratch` takes,
- `GENES`, the number of genes of each kind, int64 [kinds],
- `CHANCES`, the cumulative shares of the kinds, float64 [kinds],
- `SEARCHED`, whether `climb` searches the alpha of a shape.
"""

from typing import Any


def __getattr__(name: str) -> Any: ...
