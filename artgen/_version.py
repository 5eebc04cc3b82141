"""The version of artgen, and the commit that it was made from."""

__version__ = "0.4.0"


def version_and_commit() -> str:
    """Return the version with the commit where there is one, such as ``0.3.0 (eeeb6dd)``.

    It is the commit of the checkout, with ``-dirty`` where files were changed, or the one that
    `tools/build_hooks.py` wrote into a package when that was built.
    """
    import subprocess  # here, since `import artgen` reads this file
    from pathlib import Path

    home = Path(__file__).parent
    try:
        if (home.parent / ".git").exists():
            line = ["git", "describe", "--always", "--dirty", "--exclude=*"]  # no tags
            commit = subprocess.check_output(line, cwd=home, stderr=subprocess.DEVNULL, text=True)
        else:
            commit = (home / "_commit.txt").read_text(encoding="utf-8")
    except (OSError, subprocess.CalledProcessError):
        return __version__
    return f"{__version__} ({commit.strip()})"
