"""Hooks are called plugin by plugin; bad answers are the plugin's problem alone."""

from __future__ import annotations

import logging
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from artgen import Spec, hookimpl, hookspecs
from artgen.errors import PluginError
from artgen.events import Event, FrameTaken
from artgen.registry import KINDS, PluginInfo, Registry


class FakeEntryPoint(EntryPoint):
    """An entry point that gives an object instead of importing one."""

    def __init__(self, name: str, plugin: object) -> None:
        super().__init__(name, "unused", "artgen")
        vars(self)["plugin"] = plugin

    def load(self) -> object:
        return vars(self)["plugin"]


class Heart:
    """A plugin that works."""

    def __init__(self) -> None:
        self.seen: list[Event] = []

    @hookimpl
    def artgen_primitives(self):
        return [Spec("heart", "A heart", "no_such_module:Heart")]

    @hookimpl
    def artgen_observe(self, event):
        self.seen.append(event)


def registry_of(**plugins: object) -> Registry:
    entry_points = [FakeEntryPoint(name, plugin) for name, plugin in plugins.items()]
    return Registry(environ={}, entry_points=entry_points)


def info_of(registry: Registry, name: str) -> PluginInfo:
    [info] = [info for info in registry.plugins if info.name == name]
    return info


def test_every_kind_has_a_hook():
    class Everything:
        pass

    for kind in KINDS:
        hook = {"loss": "artgen_losses"}.get(kind, f"artgen_{kind}s")
        assert hasattr(hookspecs, hook)
        answer = [Spec(f"my-{kind}", "One of each", "module:thing")]
        implementation = hookimpl(lambda answer=answer: answer, specname=hook)
        setattr(Everything, hook, staticmethod(implementation))

    registry = registry_of(everything=Everything())
    for kind in KINDS:
        assert registry.find(kind, f"my-{kind}").plugin.name == "everything"


def raises():
    raise RuntimeError("no weights")


def fails_while_answering():
    yield Spec("early", "Offered before it failed", "module:Early")
    raise RuntimeError("no weights")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (raises, "RuntimeError: no weights"),
        (fails_while_answering, "RuntimeError: no weights"),
        (lambda: None, "artgen_primitives returned None instead of a list of specs"),
        (lambda: 3, "artgen_primitives returned int instead of a list of specs"),
        (lambda: Spec("one", "Alone", "m:One"), "returned Spec instead of a list"),
        (lambda: "heart", "offers str 'h', which is not a Spec"),
        (lambda: [Spec("Heart", "Upper case", "m:H")], "'Heart', but a name must be"),
        (lambda: [Spec("my heart", "A space", "m:H")], "'my heart', but a name must be"),
        (lambda: [Spec("a/heart", "A slash", "m:H")], "'a/heart', but a name must be"),
        (lambda: [Spec("", "Nothing", "m:H")], "'', but a name must be"),
        (lambda: [Spec(None, "Nothing", "m:H")], "None, but a name must be"),
        (lambda: [Spec("heart", " ", "m:H")], "'heart' without a summary"),
        (lambda: [Spec("heart", "No colon", "module.Heart")], "not 'module:attribute'"),
        (
            lambda: [Spec("heart", "A list", "m:H", names=["cat"])],
            "'heart' with names that are not",
        ),
        (lambda: [Spec("heart", "A", "m:A"), Spec("heart", "B", "m:B")], "'heart' twice"),
    ],
)
def test_bad_answer_breaks_its_plugin_alone(answer, reason):
    class Bad:
        artgen_primitives = staticmethod(hookimpl(lambda: answer(), specname="artgen_primitives"))

        @staticmethod
        @hookimpl
        def artgen_losses():
            return [Spec("other", "Good, but of a plugin that is not", "m:other")]

    registry = registry_of(bad=Bad(), heart=Heart())
    bad = info_of(registry, "bad")
    assert bad.status == "broken"
    assert reason in bad.reason
    assert info_of(registry, "heart").status == "ok"
    assert registry.find("primitive", "heart")
    with pytest.raises(PluginError):
        registry.find("loss", "other")


def test_what_a_broken_plugin_offered_is_remembered():
    class Bad:
        @hookimpl
        def artgen_primitives(self):
            yield from fails_while_answering()

    registry = registry_of(odd_name=Bad())
    assert info_of(registry, "odd_name").offers == {"primitive": ("early",)}
    with pytest.raises(PluginError, match="'early' is not available: odd_name is broken"):
        registry.find("primitive", "early")


def test_what_cannot_be_called_is_no_loss():
    class Odd:
        @hookimpl
        def artgen_losses(self):
            return [Spec("odd", "A number", 3)]

    with pytest.raises(PluginError, match=r"'odd' of odd is 3, which cannot be called"):
        registry_of(odd=Odd()).load("loss", "odd")


def test_wrong_arguments_of_a_hook():
    class Bad:
        @hookimpl
        def artgen_primitives(self, canvas):
            return []

    registry = registry_of(bad=Bad(), heart=Heart())
    assert info_of(registry, "bad").status == "broken"
    assert "canvas" in info_of(registry, "bad").reason
    assert "\n" not in info_of(registry, "bad").reason
    assert registry.find("primitive", "heart")


def test_misspelt_hook_is_pointed_out_and_the_others_work():
    class Typo(Heart):
        @hookimpl
        def artgen_losess(self):
            return []

    typo = info_of(registry_of(typo=Typo()), "typo")
    assert typo.status == "ok"
    assert typo.reason.startswith("unknown hook artgen_losess: did you mean artgen_losses")
    assert typo.hooks == ("artgen_observe", "artgen_primitives")


def test_optional_hook_of_another_version_is_no_mistake():
    class Ahead(Heart):
        @hookimpl(optionalhook=True)
        def artgen_palettes(self):
            return []

    assert info_of(registry_of(ahead=Ahead()), "ahead").reason is None


class Moody:
    """An observer that fails."""

    calls = 0

    @hookimpl
    def artgen_observe(self):
        self.calls += 1
        sys.exit(1)


def test_observers_see_events_and_one_that_fails_is_dropped():
    moody, heart = Moody(), Heart()
    registry = registry_of(a_moody=moody, heart=heart)
    first, second = FrameTaken("stem", 1), FrameTaken("stem", 2)
    [warning] = registry.observe(first)
    assert warning.startswith("artgen_observe of a_moody failed")
    assert "SystemExit: 1" in warning
    assert registry.observe(second) == []
    assert registry.warnings == [warning]
    assert heart.seen == [first, second]
    assert moody.calls == 1


def test_keyboard_interrupt_of_an_observer_passes():
    class Interrupting:
        @hookimpl
        def artgen_observe(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        registry_of(interrupting=Interrupting()).observe(FrameTaken("stem", 1))


def test_broken_plugin_does_not_observe():
    class Bad(Heart):
        @hookimpl
        def artgen_engines(self):
            return None

    bad = Bad()
    assert registry_of(bad=bad).observe(FrameTaken("stem", 1)) == []
    assert bad.seen == []


class TestTrace:
    CODE = "from artgen.registry import Registry; Registry(entry_points=[])"

    @pytest.mark.parametrize(
        ("value", "traced"), [("1", True), ("0", False), ("", False), (None, False)]
    )
    def test_one_line_per_call_on_stderr(self, value, traced, monkeypatch):
        monkeypatch.delenv("ARTGEN_TRACE", raising=False)
        if value is not None:
            monkeypatch.setenv("ARTGEN_TRACE", value)
        result = subprocess.run([sys.executable, "-c", self.CODE], capture_output=True, text=True)
        assert result.stdout == ""
        lines = result.stderr.splitlines()
        assert ("hook artgen_losses of artgen" in lines) == traced
        assert bool(lines) == traced

    def test_is_logged_where_the_application_listens(self, caplog):
        with caplog.at_level(logging.DEBUG, logger="artgen"):
            registry_of(heart=Heart()).observe(FrameTaken("stem", 1))
        assert caplog.messages[-1] == "hook artgen_observe of heart"
