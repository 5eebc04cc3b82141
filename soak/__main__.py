"""The command `python -m soak`: tries promises and prints what came of it as a table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from soak import __doc__ as SUMMARY
from soak import files
from soak._promise import AREAS, Promise, Tally, every_promise

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- written by python -m soak --write -->", "<!-- end -->"


def main() -> int:
    parser = argparse.ArgumentParser(
        "python -m soak", description=SUMMARY, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"of {', '.join(AREAS)}")
    parser.add_argument("--small", action="store_true", help="in seconds instead of hours")
    parser.add_argument("--write", action="store_true", help="update docs/reliability.md")
    parser.add_argument("--fuzz", type=int, metavar="SECONDS", help="per reader; default: 600")
    options = parser.parse_args()
    if options.fuzz:
        files.FUZZ_SECONDS = options.fuzz
    if unknown := set(options.areas) - set(AREAS):
        parser.error(f"there is no area {', '.join(sorted(unknown))}")
    if options.write and options.areas:
        parser.error("--write is for all areas")
    found: list[tuple[Promise, Tally, Tally]] = []
    for promise in every_promise(options.areas or AREAS):
        print(f"{promise.name} …", end=" ", file=sys.stderr, flush=True)
        tally = promise.check(small=options.small)
        broken = promise.check_with_bug()
        found.append((promise, tally, broken))
        print(f"{tally.cases} cases, {len(tally.failures)} failures", file=sys.stderr)
        for failure in tally.failures:
            print(f"  {failure}", file=sys.stderr)
    text = f"In {'small' if options.small else 'full'} size:\n\n{table(found)}"
    print(text)
    if options.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(
            f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8"
        )
    return any(tally.failures or not noticed(tally, broken) for _, tally, broken in found)


def noticed(tally: Tally, broken: Tally) -> bool:
    """Whether the trial failed with the bug put in, as far as it could be tried."""
    return bool(broken.failures) or not tally.cases


def table(found: list[tuple[Promise, Tally, Tally]]) -> str:
    """A row for each promise."""
    lines = [
        "| promise | how it is tried | cases | failures | not tried | with this bug it fails |",
        "|---|---|--:|--:|---|---|",
    ]
    for promise, tally, broken in found:
        figures = "; ".join(f"{name}: {value}" for name, value in tally.figures.items())
        how = promise.how + (f" ({figures})" if figures else "")
        seen = f"in case {broken.cases}" if broken.failures else "never"
        bug = f"{promise.bug_text} (noticed {seen})"
        cells = (promise.text, how, str(tally.cases), str(len(tally.failures)))
        skips = "; ".join(tally.skips)
        lines.append("| " + " | ".join((*cells, skips, bug)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
