"""Art: a drawing with the recipe that made it, its `.art` file, and the precision of that."""

from artgen.art._art import Art, Exporter, ExportRequest, load, run_exporter
from artgen.art._file import FORMAT, Contents, to_bytes
from artgen.art.precision import bytes_of_shapes, quantised, quantised_film, saved_bytes

__all__ = [
    "FORMAT",
    "Art",
    "Contents",
    "ExportRequest",
    "Exporter",
    "bytes_of_shapes",
    "load",
    "quantised",
    "quantised_film",
    "run_exporter",
    "saved_bytes",
    "to_bytes",
]
