"""What a command does after its work: show a file, and run a command of the user."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from artgen.base.errors import ArtgenError
from artgen.cli._console import exit_code, say


def open_in_browser(place: Path | str) -> bool:
    """Open a file or a URL in the browser, if there is one, and return whether there was."""
    import webbrowser

    try:
        # Text browsers would take over the terminal.
        browser = webbrowser.get()
        graphical = not isinstance(browser, webbrowser.GenericBrowser) or isinstance(
            browser, webbrowser.BackgroundBrowser
        )
        address = place if isinstance(place, str) else place.resolve().as_uri()
        return graphical and browser.open(address)
    except webbrowser.Error:
        return False


def notified(command: str | None, work: Callable[[], int]) -> int:
    """Do `work` and return its exit code; then run `command` in the shell, however it ended.

    The command finds the exit code in the variable ``ARTGEN_EXIT_CODE``, and prints to stderr: on
    stdout there are data alone. If it fails, this is reported, and the exit code stays that of the
    work.
    """
    code = ArtgenError.exit_code
    try:
        code = work()
    except Exception as error:
        code = exit_code([error])
        raise
    except KeyboardInterrupt:
        code = 130
        raise
    finally:
        if command is not None:
            own = {**os.environ, "ARTGEN_EXIT_CODE": str(code)}
            done = subprocess.run(command, shell=True, check=False, env=own, stdout=2)
            if done.returncode:
                say(f"warning: --notify {command!r} ended with exit code {done.returncode}")
    return code
