"""`artgen doctor`: does everything that artgen needs work on this machine?"""

from __future__ import annotations

from typing import Annotated

import typer

from artgen.cli._flags import AsJson, PluginFiles, Quiet, Verbose, make_registry

__all__ = ["doctor"]


Report = Annotated[
    bool, typer.Option("--report", help="Print what a bug report needs, as Markdown.")
]


def doctor(
    report: Report = False,
    plugin: PluginFiles = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Check that everything artgen needs works here; exit code 6 where it does not."""
    from dataclasses import asdict

    from artgen.cli._console import columns, describe, print_error, print_json
    from artgen.doctor import examine
    from artgen.doctor import report as markdown
    from artgen.errors import OutputError

    checks = examine(make_registry(plugin, quiet=quiet))
    failed = [check.name for check in checks if check.state == "fail"]
    error = OutputError(f"this does not work: {', '.join(failed)}") if failed else None
    if as_json:
        failure = {"error": describe(error)} if error else {}
        print_json({**failure, "ok": not failed, "checks": [asdict(check) for check in checks]})
    elif report:
        print(markdown(checks))
    elif not quiet:
        print(columns((check.state, check.name, check.detail) for check in checks))
    if error is None:
        return 0
    print_error(error, verbose=False)
    return error.exit_code
