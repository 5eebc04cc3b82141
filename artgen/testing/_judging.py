"""Running one check on one primitive, whatever it does: passed, failed, or known to deviate.

A check is a function of a `Subject`. It returns nothing or a remark with figures, and raises
`Failed` with the plugin's own names and numbers. Its docstring says what it proves and, in the last
paragraph, what to do when it fails.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from artgen.errors import ArtgenError, line_at_fault
from artgen.testing._subject import Subject

__all__ = ["Check", "Failed", "Outcome", "advice", "claim", "judge"]

Check = Callable[[Subject], str | None]


class Failed(AssertionError):
    """The primitive does not keep what the check is about; the message says where."""


@dataclass(frozen=True)
class Outcome:
    """What a check found about a primitive.

    - `primitive`, `check`: their names
    - `status`: ``ok``, ``failed``, ``known`` where it deviates as declared, or ``skipped`` where
      the plugin raised what it had raised in an earlier check
    - `detail`: what is wrong, with names and numbers; a remark where it is ok, or ""
    - `hint`: what to do about it, or None
    - `error`: what the plugin raised, if that is what is wrong
    """

    primitive: str
    check: str
    status: Literal["ok", "failed", "known", "skipped"]
    detail: str = ""
    hint: str | None = None
    error: BaseException | None = field(default=None, repr=False, compare=False)


def claim(check: Check) -> str:
    """What a check proves: the first sentence of its docstring."""
    return _paragraphs(check)[0]


def advice(check: Check) -> str:
    """What to do when it fails: the last paragraph of its docstring."""
    return _paragraphs(check)[-1]


def judge(check: Check, subject: Subject) -> Outcome:
    """Run `check`; whatever plugin code raises, `sys.exit` included, is an outcome too."""
    reason = subject.cls.known_deviations.get(check.__name__)
    outcome = _run(check, subject)
    if reason is None:
        if outcome.error is None:
            return outcome
        # One mistake stops many checks; told once it is easier to see.
        first = subject.raised.setdefault(outcome.detail, check.__name__)
        if first == check.__name__:
            return outcome
        return Outcome(subject.name, check.__name__, "skipped", f"the same error as in {first}")
    if outcome.status == "failed":
        detail = f"{reason} ({outcome.detail})"
        return Outcome(subject.name, check.__name__, "known", detail, error=outcome.error)
    return Outcome(
        subject.name,
        check.__name__,
        "failed",
        f"{subject.cls.__name__} no longer deviates, though known_deviations says: {reason}",
        f"remove {check.__name__!r} from known_deviations",
    )


def _run(check: Check, subject: Subject) -> Outcome:
    error: BaseException
    hint = advice(check)
    try:
        remark = check(subject)
        return Outcome(subject.name, check.__name__, "ok", remark or "")
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except Failed as failure:
        return Outcome(subject.name, check.__name__, "failed", str(failure), hint)
    except ArtgenError as refusal:
        error, detail, hint = refusal, refusal.message, refusal.hint or hint
    except BaseException as failure:
        error, detail = failure, f"{type(failure).__name__}: {_in_one_line(failure)}"
        hint = f"This was to show: {claim(check)}"
    frame = line_at_fault(error)
    if frame is not None:
        detail += f" ({Path(frame.filename).name}, line {frame.lineno}: {frame.line})"
    return Outcome(subject.name, check.__name__, "failed", detail, hint, error)


def _in_one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else f"{text[:297]}..."


def _paragraphs(check: Check) -> list[str]:
    text = inspect.getdoc(check) or check.__name__
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
