"""Proof of what artgen promises: every promise is tried where it could break, by injected faults.

    python -m soak                    every promise in full size, as a table on stdout (hours)
    python -m soak kills --small      one of them, in seconds, as `make test` does
    python -m soak --write            also update docs/reliability.md

Each promise comes with a bug that breaks it. The bug is put in while the same trial runs once more,
which has to notice: a trial that cannot fail proves nothing.
"""
