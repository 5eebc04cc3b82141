"""`python -m artgen` is `artgen`."""

from __future__ import annotations

import sys

from artgen.cli import main

if __name__ == "__main__":
    sys.exit(main())
