"""Trials of what artgen promises: faults are injected where a promise could break.

    python -m soak                        every promise in full size (hours)
    python -m soak kills fuzz:table       an area, and a piece of one; --list prints all areas and pieces
    python -m soak kills --small          in seconds, as `make test` does
    python -m soak fuzz:table --write     also keep what came of it, and renew docs/reliability.md

Each promise comes with a bug that breaks it. The bug is put in while the same trial runs once more,
which has to notice: a trial that cannot fail proves nothing.
"""
