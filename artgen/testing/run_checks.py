"""Run one check on what a plugin offers, and turn whatever happens into a result.

A check is a function of an `Offer`, for primitives of a `Candidate`. It returns None or a remark
with measurements, or raises `Failed` with names and numbers of the plugin, or `Lacking` if this
machine cannot run it. The first sentence of its docstring says what it proves, the last paragraph
what to do when it fails.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from artgen.base.errors import ArtgenError
from artgen.base.faults import line_at_fault, one_line, place_of, quoted
from artgen.base.options import describe_options
from artgen.testing.candidate import Offer

Check = Callable[[Any], str | None]


class Failed(AssertionError):
    """The plugin breaks the rule that the check proves; the message says how.

    `code` is the function or class at fault, by default the one that is checked.
    """

    def __init__(self, message: str, code: object = None) -> None:
        super().__init__(message)
        self.code = code


class Lacking(Exception):
    """The machine lacks what the check needs; the message names it. The plugin is not to blame."""


def count_options(options: type[Any]) -> int:
    """Count the options of a plugin; raise Failed unless they are frozen and all have help."""
    parameters = getattr(options, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        raise Failed("Options is not a dataclass with frozen=True", options)
    described = describe_options(options)
    for option in described:
        if not option.help.strip():
            raise Failed(f"option {option.name} has no help", options)
    return len(described)


@dataclass(frozen=True)
class CheckResult:
    """The result of a check.

    - `primitive`, `check`: the names of what is checked and of the check
    - `status`: ``ok``, ``failed``, ``known`` if it deviates as declared, or ``skipped`` if the
      plugin raised the same error as in an earlier check, or the machine lacks what the check needs
    - `detail`: what is wrong, with names and numbers; a remark or "" if it is ok
    - `hint`: what to do, or None
    - `error`: the exception of the plugin, if there was one
    - `proves`: what the check proves of a plugin that passes, as `claim` says it
    """

    primitive: str
    check: str
    status: Literal["ok", "failed", "known", "skipped"]
    detail: str = ""
    hint: str | None = None
    error: BaseException | None = field(default=None, repr=False, compare=False)
    proves: str = field(default="", repr=False, compare=False)


def claim(check: Check) -> str:
    """Return what a check proves: the first paragraph of its docstring."""
    return _paragraphs(check)[0]


def advice(check: Check) -> str:
    """Return what to do when a check fails: the last paragraph of its docstring."""
    return _paragraphs(check)[-1]


_basic: set[Check] = set()


def basic(check: Check) -> Check:
    """Mark a check without which the others make no sense: if it fails, they are skipped."""
    _basic.add(check)
    return check


@basic
def schema(offer: Offer) -> str:
    """The options are a frozen dataclass, with help.

    Use `@dataclass(frozen=True)` and `artgen.option(default, "help", low=..., high=...)`.
    """
    return f"{count_options(offer.loaded.Options)} options"


def judge(check: Check, candidate: Offer) -> CheckResult:
    """Run `check`; exceptions of plugin code, `sys.exit` included, become results too."""
    name = check.__name__
    result = partial(CheckResult, candidate.name, name, proves=claim(check))
    if candidate.blocked_by:
        return result("skipped", f"{candidate.blocked_by} comes first")
    reason = candidate.known_deviations.get(name)
    outcome = _run(check, candidate, result)
    if outcome.status == "skipped":
        return outcome
    if reason is None:
        if outcome.status == "failed" and check in _basic:
            candidate.blocked_by = name
        # One mistake makes many checks fail; report it once.
        first = candidate.raised.setdefault(_cause(outcome), name) if outcome.error else name
        if first == name:
            return outcome
        detail = f"the same error as in {first}"
        return replace(outcome, status="skipped", detail=detail, hint=None, error=None)
    if outcome.status == "failed":
        return replace(outcome, status="known", detail=f"{reason} ({outcome.detail})", hint=None)
    title = getattr(candidate.loaded, "__name__", candidate.name)
    detail = f"{title} no longer deviates, though known_deviations says: {reason}"
    hint = f"remove {name!r} from known_deviations"
    return replace(outcome, status="failed", detail=detail, hint=hint)


def _cause(outcome: CheckResult) -> str:
    """Return the line of the plugin that an outcome names, or all that it says."""
    found = re.search(r"\(([^()]+, line \d+)", outcome.detail)
    return found[1] if found else outcome.detail


def _run(check: Check, candidate: Offer, result: Callable[..., CheckResult]) -> CheckResult:
    error: BaseException
    hint = advice(check)
    try:
        # Checks judge results that are NaN or infinite by themselves.
        with np.errstate(all="ignore"):
            return result("ok", check(candidate) or "")
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except Lacking as lacking:
        return result("skipped", f"needs {lacking}")
    except Failed as failure:
        detail, place = str(failure), place_of(failure.code or candidate.loaded)
        return result("failed", detail if ", line " in detail else detail + place, hint)
    except ArtgenError as refusal:
        error, detail, hint = refusal, refusal.message, refusal.hint or hint
    except BaseException as failure:
        error, detail = failure, one_line(failure)
        hint = f"Correct this line. {claim(check)}"
    line = line_at_fault(error, candidate.loaded)
    if ", line " not in detail:
        detail += quoted(line) if line else place_of(candidate.loaded)
    return result("failed", detail, hint, error)


def _paragraphs(check: Check) -> list[str]:
    text = inspect.getdoc(check) or check.__name__
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
