"""Primitives beside JPEG, WebP and AVIF at equal bytes: the example of docs/compare.md.

Means over three photographs and their standard deviations, at 320 pixels and 500 steps.
"""

from __future__ import annotations

import csv
import io
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path

from artgen.cli import main as artgen
from benchmarks._report import Table
from benchmarks._settings import Settings

PICTURES = ("sample:astronaut", "sample:chelsea", "sample:coffee")
COLUMNS = {
    "psnr": ("PSNR, dB", 2),
    "ssim": ("SSIM", 3),
    "ms_ssim": ("MS-SSIM", 3),
    "seconds": ("s", 1),
    "parameters": ("parameters", 0),
    "bytes": ("bytes", 0),
}
"""Columns of the comparison, by their heads and decimals."""
PRIMITIVES = ("gaussian", "gaussian:precision=int8", "stroke", "fourier", "mlp:hidden=35")


def run(settings: Settings) -> Iterator[Table]:
    pictures, names, flags = PICTURES, PRIMITIVES, ("--size", "320", "--steps", "500")
    if settings.quick:
        pictures, names, flags = PICTURES[:1], PRIMITIVES[:1], ("--size", "64", "--steps", "5")
    flags += ("--seed", "0", "--bytes", "8000", "--precision", "fp16")
    found = compared(pictures, names, *flags)
    rows = []
    for name in dict.fromkeys(row["contestant"] for row in found):
        mine = [row for row in found if row["contestant"] == name]
        values = [spread(mine, key, digits) for key, (_, digits) in COLUMNS.items()]
        rows.append((f"`{name}`" if name in names else name, *values))
    yield Table("8,000 bytes", ("", *(head for head, _ in COLUMNS.values())), rows)


def compared(
    targets: Sequence[str], contestants: Sequence[str], *flags: str
) -> list[dict[str, str]]:
    """The rows that `artgen compare` writes, of every contestant and codec on every target."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "table.csv")
        words = ["compare", *targets, *flags, "--out", folder, "--csv", str(file), "--quiet"]
        for name in contestants:
            words += ["-p", name]
        with redirect_stdout(io.StringIO()):
            code = artgen(words)
        if code:  # A contestant that fails leaves a row of zeros.
            raise SystemExit(code)
        with file.open(newline="", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))


def spread(rows: list[dict[str, str]], key: str, digits: int) -> str:
    """Mean and standard deviation of a column; empty where it says nothing."""
    values = [float(row[key]) for row in rows if row[key]]
    if not values:
        return ""
    mean = f"{statistics.fmean(values):,.{digits}f}"
    apart = len(values) > 1 and digits and statistics.stdev(values)
    return f"{mean} ± {apart:.{digits}f}" if apart else mean
