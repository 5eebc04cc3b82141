"""Make the pictures of the guides from the files that they print: python docs/images/guides.py"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from PIL import Image

from artgen.cli import main

HERE = Path(__file__).parent
FITS = {
    "shape": "sample:coffee -p moon -n 150",
    "field": "sample:cat -p blot",
    "family": "sample:coffee -p bands -n 60",
    "loss": "sample:cat -n 150 --loss l1+2*edges",
    "target": "letters:art -p triangle -n 40",
}
"""The fit that each guide's picture shows."""
SIDE = 480


def make(guide: str) -> None:
    """Write guide-GUIDE.jpg beside this file."""
    page = (HERE.parent / "guides" / f"{guide}.md").read_text(encoding="utf-8")
    name, code = re.findall(r"<!-- file: (\S+\.py) -->\n```python\n(.*?)```", page, re.DOTALL)[0]
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder, name)
        plugin.write_text(code, encoding="utf-8")
        line = f"fit {FITS[guide]} --plugin {plugin} --out {folder} --name {guide} --seed 1"
        if main(
            [*line.split(), "--size", "256", "--still-size", f"{2 * SIDE}", "--no-video", "-q"]
        ):
            sys.exit(1)
        with Image.open(Path(folder, f"{guide}.png")) as still:
            still.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            still.convert("RGB").save(HERE / f"guide-{guide}.jpg", quality=88)


if __name__ == "__main__":
    for each in sys.argv[1:] or FITS:
        make(each)
