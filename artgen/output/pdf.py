"""The container of a PDF file: what stands around its objects, by ISO 32000-1."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate


def assemble_pdf(objects: Sequence[bytes], *, root: int, info: int) -> bytes:
    """Return a file of objects, numbered from 1 in their order.

    `root` is the number of the catalogue, `info` that of the dictionary that describes the file.
    """
    # The second line marks the file as binary.
    head = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    texts = [b"%d 0 obj\n%s\nendobj\n" % each for each in enumerate(objects, 1)]
    *places, end = accumulate(map(len, texts), initial=len(head))
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    tail = (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n"
        f"<< /Size {size} /Root {root} 0 R /Info {info} 0 R >>\nstartxref\n{end}\n%%EOF\n"
    )
    return head + b"".join(texts) + tail.encode()
