"""`artgen studio`: write or serve a page that fits splats in the browser."""

from __future__ import annotations

from pathlib import Path

from artgen.base.errors import UsageError
from artgen.cli._afterwards import open_in_browser
from artgen.cli._completion import primitives
from artgen.cli._console import say
from artgen.cli._exports import check_file
from artgen.cli._flags import OVERWRITE, Common, option, output_option, switch


def studio(
    primitive: list[str] | None = option(
        "NAME",
        "A splat that the page offers. Repeatable. Default: those that artgen ships, and those "
        "of --plugin.",
        "--primitive",
        "-p",
        complete=primitives,
    ),
    output: Path | None = output_option("FILE.html", "Output file. Default: studio.html."),
    open_page: bool = switch(
        "Serve the page on this machine and open it, until Ctrl-C. Nothing is written without -o.",
        "--open",
    ),
    overwrite: bool = OVERWRITE,
    *,
    common: Common,
) -> None:
    """Write one HTML page that fits splats in a browser, on its graphics card, by WebGPU.

    Examples:
        artgen studio --open
        artgen studio -p stroke --plugin petal.py -o studio.html
    """
    from artgen.cli._progress import showing
    from artgen.output import atomic_write
    from artgen.studio import build_studio, default_splats

    file = output or (None if open_page else Path("studio.html"))
    if file is not None and file.suffix.lower() != ".html":
        raise UsageError(f"--output {file} is not an HTML file", hint="call it FILE.html")
    if file is not None:
        check_file(file, overwrite=overwrite)
    registry = common.registry()
    with showing(registry, common, "studio"):
        names = primitive or default_splats(registry, common.plugin or ())
        page = build_studio(names, registry)
    if file is not None:
        atomic_write(file, page)
    written = [] if file is None else [file]
    common.answer({"output": file, "bytes": len(page), "primitives": names}, *written)
    if open_page:
        from artgen.live import serve_page

        with serve_page(page) as (address, serving):
            opened = open_in_browser(address)
            say(f"{'serving' if opened else 'open'} {address} (Ctrl-C ends it)")
            serving.join()
