"""`artgen doctor`: check that everything that artgen needs works on this machine."""

from __future__ import annotations

from artgen.base.errors import OutputError
from artgen.cli._console import columns, print_error, print_json
from artgen.cli._flags import Common, switch


def doctor(
    report: bool = switch("Print the details for a bug report, as Markdown.", "--report"),
    *,
    common: Common,
) -> int:
    """Check that everything artgen needs works. Exit with 6 if something does not.

    Examples:
        artgen doctor --report
    """
    from dataclasses import asdict

    from artgen.cli._machine import examine
    from artgen.cli._machine import report as markdown
    from artgen.cli._progress import showing

    registry = common.registry()
    with showing(registry, common, "doctor"):
        checks = examine(registry)
    failed = [check.name for check in checks if check.state == "fail"]
    error = OutputError(f"checks failed: {', '.join(failed)}") if failed else None
    if common.as_json:
        shown = [asdict(check) for check in checks]
        print_json({"ok": not failed, "checks": shown}, [error] if error else ())
    elif report:
        print(markdown(checks))
    elif not common.quiet:
        print(columns((check.state, check.name, check.detail) for check in checks))
    if error is None:
        return 0
    print_error(error, verbose=False)
    return error.exit_code
