"""One reader under a fuzzer: `python -m soak.fuzz NAME SECONDS FOLDER`.

The fuzzer watches which branches of artgen's own code a file reaches and makes new ones that reach
more. Ends with 0 when nothing was found in time.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    import atheris

    name, seconds, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    with atheris.instrument_imports(include=["artgen"]):
        import artgen.art
        import artgen.recipe
        import artgen.runner._prepare
        import artgen.targets  # noqa: F401
    from soak._readers import READERS
    from soak.files import judged, read_trusting

    if os.environ.get("ARTGEN_SOAK_TRUSTING"):
        read_trusting()
    reader = READERS[name]
    examples = folder / "examples"
    examples.mkdir()
    for number, data in enumerate(reader.examples()):
        (examples / str(number)).write_bytes(data)
    path = folder / f"file{reader.suffix}"

    def try_one(data: bytes) -> None:
        path.write_bytes(data)
        problem = judged(reader, path)
        if problem:
            (folder / "found").write_bytes(data)
            raise AssertionError(f"{problem} for {data[:200]!r}")

    limits = [f"-max_total_time={seconds}", "-max_len=20000", "-timeout=20", "-rss_limit_mb=4000"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={folder}/", str(examples)], try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
