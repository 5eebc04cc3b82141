"""The command `python -m benchmarks`: runs benchmarks one by one and prints their tables."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from artgen import runs
from artgen.base.errors import ArtgenError, did_you_mean
from artgen.base.process import prepare_process
from benchmarks import __doc__ as SUMMARY
from benchmarks._report import commit, machine, update_sections
from benchmarks._settings import ROOT, Settings

BENCHMARKS = (
    *("commands", "startup", "start", "footprints", "scaling", "scale"),
    *(
        "fits",
        "compare",
        "history",
        "densification",
        "diagram",
        "optimizers",
        "fields",
        "stability",
    ),
    *("cuda-static", "codecs", "clips", "shapes", "peers", "blob", "vectors", "polish", "genetic"),
    *("mesh", "batches", "live", "video", "ink", "making", "autograd", "ideas", "views", "faces"),
    *("curve", "longer", "sets", "small", "grounds"),
)
"""The modules with a `run(settings)` that yields tables."""

ON_DEVICES = ("footprints", "scaling", "fits", "fields")
"""Those that can compare devices."""

GPUS = {"cuda": ON_DEVICES, "webgpu": ("footprints", "scaling", "fits")}
"""The devices whose sections are written down, and what runs on them."""

RESULTS = ROOT / "benchmarks" / "RESULTS.md"


def main(arguments: Sequence[str] | None = None) -> None:
    # Before torch is imported, as `artgen` does.
    prepare_process()
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=SUMMARY, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"all, check, or some of {', '.join(BENCHMARKS)}"
    )
    parser.add_argument("--quick", action="store_true", help="tiny scenes, to see that it runs")
    parser.add_argument(
        "--long",
        action="store_true",
        help="fits: 3 minutes; genetic: 10 CPU s; scale: 100 MP",
    )
    parser.add_argument(
        "--cpu",
        action="store_true",
        help="fits, fields: CPU seconds of one thread, for a machine that others use",
    )
    parser.add_argument(
        "--serial", action="store_true", help="scaling: only what many threads would make of it"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="fits, scale, shapes, mesh: pictures"
    )
    parser.add_argument(
        "--device", metavar="NAME", help=f"{', '.join(ON_DEVICES)}: one to compare with the CPU"
    )
    parser.add_argument("--write", action="store_true", help="update benchmarks/RESULTS.md")
    options = parser.parse_args(arguments)
    if options.names == ["check"]:
        from benchmarks import check

        parser.exit(check.main(RESULTS, quick=options.quick))
    if options.names == ["all"]:
        options.names = []
    for name in options.names:
        if options.device and name not in ON_DEVICES:
            parser.error(f"--device is for {', '.join(ON_DEVICES)}, not for {name}")
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r} ({did_you_mean(name, BENCHMARKS)})")
    if options.data and not options.data.is_dir():
        parser.error(f"--data {options.data} is not a folder")
    if options.write and options.quick:
        parser.error("--quick measures nothing worth writing down: leave out one of the two")
    if options.write and options.serial:
        parser.error("--serial measures a part of a section, and --write would drop the rest of it")

    settings = Settings(
        quick=options.quick,
        long=options.long,
        cpu=options.cpu,
        serial=options.serial,
        data=options.data,
    )
    suffix, names = "", BENCHMARKS
    if options.device:
        suffix, names = f"-{options.device}", GPUS.get(options.device, ON_DEVICES)
        settings = replace(settings, devices=("cpu", options.device))
    names = options.names or names
    order = (*BENCHMARKS, *(f"{name}-{device}" for device in GPUS for name in GPUS[device]))
    if options.write and (unknown := [name for name in names if name + suffix not in order]):
        parser.error(f"there is no section {unknown[0] + suffix} to write: leave out --write")
    failed = 0
    try:
        if options.device:
            runs.resolve_device(options.device)
    except ArtgenError as error:
        parser.exit(error.exit_code, f"{error}\n")
    for name in names:
        try:
            text = run(name, settings)
        except ArtgenError as error:  # the others may be possible here
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            failed = failed or error.exit_code
            continue
        if options.write:
            update_sections(RESULTS, {name + suffix: text}, order)
    if failed:
        parser.exit(failed)


def run(name: str, settings: Settings) -> str:
    """Run one benchmark; its section is printed as it grows, and returned."""
    module = importlib.import_module(f"benchmarks.{name.replace('-', '_')}")
    flags = [f"--device {device}" for device in settings.devices[1:]]
    flags += [f"--{flag}" for flag in ("long", "cpu", "serial") if getattr(settings, flag)]
    command = " ".join([name, *flags, *["--data DIR"] * (settings.data is not None)])
    made = f"`python -m benchmarks {command}`, commit {commit()}, {date.today()}; {machine()}."
    paragraphs = [(module.__doc__ or "").strip(), made]
    print(f"## {name}", *paragraphs, sep="\n\n", end="\n\n", flush=True)
    began = time.monotonic()
    for table in module.run(settings):
        print(table, end="\n\n", flush=True)
        paragraphs.append(str(table))
    paragraphs[1] += f" It took {max(1, round((time.monotonic() - began) / 60))} min."
    return "\n\n".join(paragraphs)


if __name__ == "__main__":
    main()
