"""`artgen doctor`: check that everything that artgen needs works on this machine."""

from __future__ import annotations

from artgen.base.errors import OutputError
from artgen.cli._console import columns, print_failure, print_json
from artgen.cli._flags import Common, switch


def doctor(
    report: bool = switch("Print the details for a bug report, as Markdown."),
    *,
    common: Common,
) -> int:
    """Check that everything artgen needs works. Exit with 6 if something does not.

    Examples:
        artgen doctor --report
    """
    from artgen.cli._machine import examine
    from artgen.cli._machine import report as markdown
    from artgen.cli._progress import showing

    registry = common.registry()
    with showing(registry, common, "doctor"):
        checks = examine(registry)
    failed = [check.name for check in checks if check.state == "fail"]
    error = OutputError(f"checks failed: {', '.join(failed)}") if failed else None
    if common.as_json:
        print_json({"ok": not failed, "checks": checks}, [error] if error else ())
    elif report:
        print(markdown(checks))
    elif not common.quiet:
        print(columns((check.state, check.name, check.detail) for check in checks))
    return print_failure(error) if error else 0
