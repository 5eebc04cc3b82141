"""Plugins are found, listed and looked up; one that is broken takes nothing else down."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import artgen
import artgen_plugins
from artgen.animation import Form
from artgen.base.errors import PluginError
from artgen.cli import main
from artgen.editing import Operation
from artgen.events import Event
from artgen.losses import Way
from artgen.plan import resolve
from artgen.recipe import Recipe
from artgen.registry import KINDS, PluginInfo, Registry, default, reset_default
from artgen.values.canvas import Canvas

HEART = """
    import artgen

    class Heart(artgen.Splat):
        '''A heart.

        With two lobes.
        '''
"""

OFFERS_HEART = """
    import artgen

    @artgen.hookimpl
    def artgen_primitives():
        return [artgen.Spec("heart", "A heart", "{module}_parts:Heart")]
"""

Install = Callable[..., str]


@pytest.fixture(autouse=True)
def forget_imported_modules() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("artgen_file_", "throwaway_")):
            del sys.modules[name]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Make a distribution as pip would leave it; gives its module's name.

    Its entry points are called `names`, by default as its module.
    """
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install(
        distribution: str,
        code: str,
        *,
        parts: str = "",
        version: str = "1.0",
        names: tuple[str, ...] = (),
    ) -> str:
        module = "throwaway_" + re.sub(r"\W", "_", distribution)
        code = textwrap.dedent(code).replace("{module}", module)
        (site / f"{module}.py").write_text(code)
        (site / f"{module}_parts.py").write_text(textwrap.dedent(parts))
        metadata = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        lines = ["[artgen]", *(f"{name} = {module}" for name in names or [module])]
        (metadata / "entry_points.txt").write_text("\n".join(lines))
        importlib.invalidate_caches()
        return module

    return install


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, code: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(code))
        return path

    return write


def info_of(registry: Registry, distribution: str) -> PluginInfo:
    [info] = [info for info in registry.plugins if info.distribution == distribution]
    return info


def bare_registry(**settings) -> Registry:
    """Without anything that happens to be installed beside artgen."""
    return Registry(**{"environ": {}, "entry_points": (), **settings})


class TestArtgensOwn:
    def test_framework_registers_like_any_plugin(self):
        registry = bare_registry()
        assert registry.find("engine", "gradient").distribution == "artgen"
        assert {"mse", "l1", "rmse", "exponential"} <= {
            entry.name for entry in registry.entries("loss")
        }
        [framework] = registry.plugins
        assert (framework.origin, framework.status) == ("built-in", "ok")
        assert framework.version == artgen.__version__
        assert framework.offers["target"] == ("image", "clip", "frames")
        shipped = Registry(environ={"ARTGEN_PLUGINS": ""}).plugins[-1]
        assert (shipped.name, shipped.origin) == ("artgen_plugins", "built-in")
        assert shipped.version == artgen.__version__
        assert shipped.offers["target"] == (
            "sample",
            "blank",
            "curve",
            "table",
            "set",
            "https",
            "http",
            "points",
        )

    def test_every_own_entry_loads(self):
        registry = Registry(environ={"ARTGEN_PLUGINS": ""})
        for kind in KINDS:
            for entry in registry.entries(kind):
                loaded = entry.load()
                assert (
                    isinstance(
                        loaded, {"look": dict, "form": Form, "view": Way, "edit": Operation}[kind]
                    )
                    if kind in ("look", "form", "view", "edit")
                    else callable(loaded)
                ), entry

    def test_a_mistake_in_what_artgen_ships_is_shown(self, monkeypatch, tmp_path):
        (tmp_path / "gaussian.py").write_text("boom = 1 / 0\n", encoding="utf-8")
        monkeypatch.setattr(artgen_plugins, "__path__", [str(tmp_path)])
        monkeypatch.delitem(sys.modules, "artgen_plugins.gaussian", raising=False)
        with pytest.raises(PluginError, match=r"\(gaussian.py, line 1: boom = 1 / 0\)") as raised:
            Registry().load("primitive", "gaussian")
        assert raised.value.hint == "correct this line, or reinstall artgen"

    def test_identity_is_distribution_and_version(self):
        registry = bare_registry()
        assert registry.find("loss", "mse").identity == {
            "name": "artgen",
            "version": artgen.__version__,
        }

    def test_listing_imports_neither_torch_nor_primitives(self):
        code = (
            "import sys\n"
            "from artgen.registry import KINDS, Registry\n"
            "registry = Registry()\n"
            "kinds = {*KINDS} - {'command'}  # those of artgen are in its command line\n"
            "assert registry.plugins and all(map(registry.entries, kinds))\n"
            "assert registry.find('primitive', 'gaussian').summary\n"
            "print([name for name in ('torch', 'numpy', 'artgen.primitives') if name in sys.modules])"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert (result.stdout.strip(), result.stderr) == ("[]", "")


class TestInstalled:
    def test_is_found_and_loaded_only_when_asked(self, install):
        module = install("artgen-heart", OFFERS_HEART, parts=HEART, version="2.5")
        registry = Registry(environ={})
        info = info_of(registry, "artgen-heart")
        assert info == PluginInfo(
            name=module,
            distribution="artgen-heart",
            version="2.5",
            origin="installed",
            hooks=("artgen_primitives",),
            offers={"primitive": ("heart",)},
        )
        assert f"{module}_parts" not in sys.modules
        assert issubclass(registry.load("primitive", "heart"), artgen.Splat)
        entry = registry.find("primitive", "heart")
        assert entry.identity == {"name": "artgen-heart", "version": "2.5"}

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            ("import no_such_module", r"ModuleNotFoundError: No module named 'no_such_module'"),
            ("raise ImportError('old numpy')", r"ImportError: old numpy"),
            ("import sys; sys.exit(3)", r"SystemExit: 3"),
            ("def broken(:", r"SyntaxError: .*line 1\)"),
            ("raise RuntimeError", r"RuntimeError"),
        ],
    )
    def test_one_that_cannot_be_imported_is_listed_as_broken(self, install, code, reason):
        install("artgen-bad", code)
        install("artgen-heart", OFFERS_HEART)
        registry = Registry(environ={})
        bad = info_of(registry, "artgen-bad")
        assert bad.status == "broken"
        assert re.fullmatch(reason, bad.reason)
        assert registry.find("primitive", "heart")
        assert registry.find("engine", "gradient")

    def test_keyboard_interrupt_is_the_users(self, install):
        install("artgen-slow", "raise KeyboardInterrupt")
        with pytest.raises(KeyboardInterrupt):
            Registry(environ={})

    @pytest.mark.parametrize(
        ("declared", "status"),
        [("1", "ok"), ("'1.4'", "ok"), ("2", "incompatible"), ("'2.0'", "incompatible")],
    )
    def test_api_version(self, install, declared, status):
        install("artgen-heart", f"ARTGEN_API = {declared}\n" + textwrap.dedent(OFFERS_HEART))
        registry = Registry(environ={})
        info = info_of(registry, "artgen-heart")
        assert info.status == status
        if status == "incompatible":
            assert declared.strip("'") in info.reason
            assert info.offers == {}
            with pytest.raises(PluginError, match="artgen-heart is incompatible"):
                registry.find("primitive", "heart")

    def test_unknown_name_lists_the_nearest_and_what_is_out_of_order(self, install):
        install("artgen-bad", "raise ImportError('old numpy')")
        registry = Registry(environ={})
        with pytest.raises(PluginError) as caught:
            registry.find("loss", "oklb")
        assert caught.value.exit_code == 4
        assert caught.value.message == "unknown loss 'oklb'"
        assert "did you mean oklab" in caught.value.hint
        assert "artgen-bad is broken (ImportError: old numpy)" in caught.value.hint

    def test_unknown_qualified_name_is_answered_with_qualified_ones(self):
        with pytest.raises(PluginError, match="did you mean artgen/rmse"):
            bare_registry().find("loss", "artgen/rmsa")

    def test_unknown_name_is_traced_to_the_broken_plugin_called_like_it(self, install):
        install("artgen-heart", "raise ImportError('old numpy')")
        registry = Registry(environ={})
        with pytest.raises(PluginError, match=r"artgen-heart is broken \(ImportError: old numpy"):
            registry.find("primitive", "heart")
        with pytest.raises(PluginError, match=r"artgen-heart is broken \(ImportError: old numpy"):
            registry.find("primitive", "artgen-heart/anything")

    @pytest.mark.parametrize(
        ("parts", "reason"),
        [
            ("import no_such_module", "No module named 'no_such_module'"),
            ("raise SystemExit(1)", "SystemExit: 1"),
            ("", "has no attribute 'Heart'"),
            ("class Heart: pass", "is not a subclass of artgen.Primitive"),
        ],
    )
    def test_entry_that_cannot_be_loaded_says_whose_it_is(self, install, parts, reason):
        install("artgen-heart", OFFERS_HEART, parts=parts)
        entry = Registry(environ={}).find("primitive", "heart")
        with pytest.raises(PluginError, match=r"^primitive 'heart' of artgen-heart") as caught:
            entry.load()
        assert reason in caught.value.message


def test_what_plugins_print_goes_to_stderr_with_their_names(install, write, capsys):
    install(
        "artgen-heart",
        "print('imported')\n"
        + textwrap.dedent(OFFERS_HEART).replace("return", "print('asked'); return"),
        parts="print('loaded')\n" + textwrap.dedent(HEART),
    )
    registry = Registry(
        environ={}, files=[write("chatty.py", "print('twice\\nread')\n" + textwrap.dedent(HEART))]
    )
    registry.load("primitive", "artgen-heart/heart")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        *(f"artgen-heart: {word}" for word in ("imported", "asked")),
        *(f"chatty.py: {word}" for word in ("twice", "read")),
        "artgen-heart: loaded",
    ]


class TestClash:
    def test_bare_name_is_refused_and_both_stay_usable(self, install):
        install("artgen-heart", OFFERS_HEART, parts=HEART)
        install("other-hearts", OFFERS_HEART, parts=HEART)
        registry = Registry(environ={})
        with pytest.raises(PluginError) as caught:
            registry.find("primitive", "heart")
        assert "artgen-heart and other-hearts" in caught.value.message
        assert "artgen-heart/heart or other-hearts/heart" in caught.value.hint
        for distribution in ("artgen-heart", "other-hearts"):
            entry = registry.find("primitive", f"{distribution}/heart")
            assert entry.distribution == distribution
            assert registry.spelling(entry) == f"{distribution}/heart"
            assert info_of(registry, distribution).status == "clash"
            assert f"{distribution}/heart" in info_of(registry, distribution).reason

    def test_other_names_of_a_clashing_plugin_need_nothing(self, install):
        two = OFFERS_HEART.replace("return [", 'return [artgen.Spec("{own}", "Own", "m:Own"), ')
        install("artgen-heart", two.replace("{own}", "ace"))
        install("other-hearts", two.replace("{own}", "spade"))
        registry = Registry(environ={})
        assert registry.spelling(registry.find("primitive", "ace")) == "ace"
        assert registry.find("primitive", "spade").distribution == "other-hearts"

    def test_shipped_name_stays_artgens(self, install):
        install(
            "artgen-heart",
            """
            import artgen

            @artgen.hookimpl
            def artgen_primitives():
                return [artgen.Spec("gaussian", "Another", "{module}_parts:Heart")]

            @artgen.hookimpl
            def artgen_losses():
                return [artgen.Spec("mse", "Another", "{module}_parts:mse")]
            """,
            parts=HEART + "\n    def mse(image, target, weight):\n        return image.mean()\n",
        )
        registry = Registry(environ={})
        ours = registry.find("primitive", "gaussian")
        assert ours.distribution == "artgen"
        assert info_of(registry, "artgen-heart").status == "clash"
        assert "write artgen-heart/gaussian" in info_of(registry, "artgen-heart").reason
        assert {i.status for i in registry.plugins if i.distribution == "artgen"} == {"ok"}
        theirs = registry.find("primitive", "artgen-heart/gaussian")
        assert registry.spelling(theirs) == "artgen-heart/gaussian"
        recipe = Recipe.from_request(
            {"primitive": {"name": "gaussian"}, "stage": [{"loss": "mse+artgen-heart/mse"}]}
        )
        plan = resolve(recipe, registry, Canvas(8, 8))
        modules = [term.function.__module__ for term in plan.losses[0].terms]
        assert modules == ["artgen.losses._pixel", "throwaway_artgen_heart_parts"]
        assert plan.identity["name"] == "artgen"

    def test_same_name_of_another_kind_is_no_clash(self, install):
        install("artgen-heart", OFFERS_HEART)
        install("artgen-loss", OFFERS_HEART.replace("artgen_primitives", "artgen_losses"))
        registry = Registry(environ={})
        assert registry.find("primitive", "heart").distribution == "artgen-heart"
        assert registry.find("loss", "heart").distribution == "artgen-loss"

    def test_distributions_compare_as_packaging_does(self, install):
        install("Artgen_Heart", OFFERS_HEART)
        assert Registry(environ={}).find("primitive", "artgen-heart/heart")

    def test_two_entry_points_of_one_distribution_are_distinguished(self, install):
        install("artgen-heart", OFFERS_HEART, names=("one", "two"))
        registry = Registry(environ={})
        with pytest.raises(PluginError, match="write one/heart or two/heart"):
            registry.find("primitive", "artgen-heart/heart")
        assert registry.find("primitive", "two/heart").plugin.name == "two"


class TestEnvironment:
    @pytest.fixture(autouse=True)
    def two_plugins(self, install):
        install("artgen-heart", OFFERS_HEART)
        install("artgen-star", OFFERS_HEART.replace("heart", "star"))

    def test_only_the_chosen_ones_and_artgens_own(self):
        registry = Registry(environ={"ARTGEN_PLUGINS": "artgen_heart, nothing"})
        assert info_of(registry, "artgen-heart").status == "ok"
        assert info_of(registry, "artgen-star").status == "disabled"
        assert "ARTGEN_PLUGINS" in info_of(registry, "artgen-star").reason
        assert "throwaway_artgen_star" not in sys.modules
        assert registry.find("primitive", "gaussian")
        assert registry.warnings == [
            "ARTGEN_PLUGINS names 'nothing', but no such plugin is installed"
        ]

    def test_empty_choice_takes_none(self):
        registry = Registry(environ={"ARTGEN_PLUGINS": ""})
        assert {info.distribution for info in registry.plugins if info.usable} == {"artgen"}

    def test_disabled_by_entry_point_name_is_listed_but_not_imported(self):
        registry = Registry(environ={"ARTGEN_DISABLE_PLUGINS": "throwaway_artgen_heart"})
        assert info_of(registry, "artgen-heart").status == "disabled"
        assert "throwaway_artgen_heart" not in sys.modules
        assert registry.find("primitive", "star")
        with pytest.raises(PluginError, match="ARTGEN_DISABLE_PLUGINS"):
            registry.find("primitive", "heart")

    def test_even_artgens_own_can_be_disabled(self):
        registry = Registry(environ={"ARTGEN_DISABLE_PLUGINS": "artgen"})
        assert {entry.distribution for entry in registry.entries("primitive")} == {
            "artgen-heart",
            "artgen-star",
        }
        assert registry.entries("loss") == []


class TestFile:
    def test_primitives_defined_in_it_are_registered(self, write):
        path = write(
            "hearts.py",
            """
            import artgen
            from artgen import Splat
            from dataclasses import dataclass

            settings = {"unhashable": []}

            class _Base(artgen.Splat):
                "Not offered."

            class TwoHearts(_Base):
                "Two hearts, as one."

                @dataclass(frozen=True)
                class Options:
                    beats: int = artgen.option(2, "how many")

            class SVGHeart2D(artgen.Field):
                pass

            Alias = TwoHearts
            """,
        )
        registry = bare_registry(files=[path])
        offered = {entry.name: entry.summary for entry in registry.entries("primitive")}
        assert offered == {"two_hearts": "Two hearts, as one.", "svg_heart2d": "SVGHeart2D"}
        cls = registry.load("primitive", "hearts/two_hearts")
        assert cls({"beats": 3}).options.beats == 3
        assert cls.__module__ == "artgen_file_hearts"
        info = info_of(registry, "hearts.py")
        assert (info.name, info.origin, info.status) == ("hearts", "file", "ok")

    def test_identity_is_name_and_sha256(self, write):
        path = write("heart.py", HEART)
        registry = bare_registry(files=[path])
        assert registry.find("primitive", "heart").identity == {
            "file": "heart.py",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }

    def test_hooks_take_the_place_of_its_classes(self, write):
        path = write(
            "hooked.py",
            HEART
            + """
    @artgen.hookimpl
    def artgen_primitives():
        return [artgen.Spec("valentine", "A heart", f"{__name__}:Heart")]
            """,
        )
        registry = bare_registry(files=[path])
        assert [entry.name for entry in registry.entries("primitive")] == ["valentine"]
        assert registry.load("primitive", "valentine").__name__ == "Heart"

    def test_misspelt_hook_beside_a_good_one_is_a_warning(self, write):
        path = write(
            "hooked.py",
            """
            import artgen

            @artgen.hookimpl
            def artgen_losses():
                return [artgen.Spec("zero", "Nothing", max)]

            @artgen.hookimpl
            def artgen_obsrve(event):
                pass
            """,
        )
        registry = bare_registry(files=[path])
        [warning] = registry.warnings
        assert warning.startswith("hooked.py: unknown hook artgen_obsrve")
        assert registry.load("loss", "zero") is max

    def test_leaves_no_trace_beside_it_or_on_the_path(self, write):
        path = write("folder/heart.py", HEART)
        before = list(sys.path)
        bare_registry(files=[path])
        assert sys.path == before
        assert os.listdir(path.parent) == ["heart.py"]

    def test_files_of_the_same_stem_stay_apart(self, write):
        first, second = write("a/my-heart.py", HEART), write("b/my-heart.py", HEART + "    # b")
        registry = bare_registry(files=[first, second])
        with pytest.raises(PluginError, match="my-heart/heart or my-heart_2/heart"):
            registry.find("primitive", "heart")
        modules = {
            registry.load("primitive", f"{owner}/heart").__module__
            for owner in ("my-heart", "my-heart_2")
        }
        assert modules == {"artgen_file_my_heart", "artgen_file_my_heart_2"}

    def test_wins_over_installed_and_says_so(self, install, write):
        install("artgen-heart", OFFERS_HEART, parts=HEART)
        registry = Registry(environ={}, files=[write("heart.py", HEART)])
        assert registry.find("primitive", "heart").distribution == "heart.py"
        assert registry.find("primitive", "heart/heart").distribution == "heart.py"
        assert registry.find("primitive", "heart.py/heart").distribution == "heart.py"
        assert registry.find("primitive", "artgen-heart/heart").distribution == "artgen-heart"
        assert registry.warnings == ["heart of heart.py hides artgen-heart/heart"]
        assert info_of(registry, "heart.py").status == "ok"
        assert info_of(registry, "artgen-heart").status == "clash"

    def test_hides_one_of_two_that_already_clash(self, install, write):
        install("artgen-heart", OFFERS_HEART)
        install("other-hearts", OFFERS_HEART)
        registry = Registry(environ={}, files=[write("heart.py", HEART)])
        assert registry.find("primitive", "heart").distribution == "heart.py"
        assert len(registry.warnings) == 2

    def test_is_imported_again_only_when_changed(self, write):
        path = write("heart.py", HEART)
        registry = bare_registry(files=[path])
        first = registry.load("primitive", "heart")
        registry.add_file(path)
        assert registry.load("primitive", "heart") is first
        write("heart.py", HEART.replace("A heart.", "A better heart."))
        registry.add_file(path)
        assert registry.find("primitive", "heart").summary == "A better heart."
        assert sys.modules["artgen_file_heart"].Heart is registry.load("primitive", "heart")

    def test_a_change_for_the_worse_keeps_what_worked(self, write):
        path = write("heart.py", HEART)
        registry = bare_registry(files=[path])
        write("heart.py", "1 +")
        with pytest.raises(PluginError):
            registry.add_file(path)
        assert registry.load("primitive", "heart").__module__ in sys.modules

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ("import artgen\n\ndef broken(:\n", "SyntaxError: .*line 3"),
            ("\x00", "null bytes"),
            ("import no_such_module", r"No module named 'no_such_module' \(bad.py, line 1\)"),
            ("\n\n1 / 0", r"ZeroDivisionError: division by zero \(bad.py, line 3\)"),
            ("import sys\nsys.exit(2)", r"SystemExit: 2 \(bad.py, line 2\)"),
            ("x = 1", "contains no primitive and no hook"),
            ("from artgen import Splat", "contains no primitive and no hook"),
            ("import artgen\nARTGEN_API = 9", "plugin API 9"),
            ("import artgen\nclass Blüte(artgen.Splat): pass", "'blüte'"),
            (
                "import artgen\n@artgen.hookimpl\ndef artgen_primitves(): return []",
                "unknown hook artgen_primitves: did you mean artgen_primitives",
            ),
            ("import artgen\n@artgen.hookimpl\ndef artgen_primitives(): 1 / 0", "ZeroDivision"),
        ],
    )
    def test_unusable_file_is_an_error(self, write, code, said):
        with pytest.raises(PluginError, match=said) as caught:
            bare_registry(files=[write("bad.py", code)])
        assert "bad.py" in caught.value.message
        assert caught.value.hint
        assert caught.value.exit_code == 4

    def test_missing_file_and_folder(self, tmp_path):
        with pytest.raises(PluginError, match=r"heart\.py does not exist"):
            bare_registry(files=[tmp_path / "heart.py"])
        with pytest.raises(PluginError, match="is a folder"):
            bare_registry(files=[tmp_path])

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
    def test_pipe_is_not_waited_for(self, tmp_path):
        pipe = tmp_path / "heart.py"
        os.mkfifo(pipe)
        with pytest.raises(PluginError, match=r"heart\.py is a pipe"):
            bare_registry(files=[pipe])

    def test_broken_file_leaves_no_module_behind(self, write):
        with pytest.raises(PluginError):
            bare_registry(files=[write("breaks.py", "1 / 0")])
        assert "artgen_file_breaks" not in sys.modules

    def test_future_statements_of_artgen_are_not_inherited(self, write):
        path = write("heart.py", HEART + "        def f(self, x: int): pass\n")
        heart = bare_registry(files=[path]).load("primitive", "heart")
        assert heart.f.__annotations__["x"] is int


class TestRegister:
    def test_under_its_snake_case_name_with_a_file_as_identity(self):
        class RoundHeart(artgen.Splat):
            """Round."""

        registry = bare_registry()
        registry.register(RoundHeart)
        entry = registry.find("primitive", "round_heart")
        assert entry.load() is RoundHeart
        assert entry.summary == "Round."
        assert entry.identity["file"] == Path(__file__).name

    def test_again_replaces_and_beats_installed(self):
        registry = bare_registry()
        for summary in ("First", "Second"):
            cls = type("Gaussian", (artgen.Splat,), {"__doc__": summary})
            registry.register(cls, "heart")
        assert registry.find("primitive", "heart").summary == "Second"
        assert len(registry.entries("primitive")) == 1

    def test_without_a_file_it_belongs_to_the_session(self):
        cls = type("Heart", (artgen.Splat,), {"__module__": "nowhere"})
        registry = bare_registry()
        registry.register(cls)
        identity = registry.find("primitive", "heart").identity
        assert registry.find("primitive", "heart", plugin=identity).load() is cls
        with pytest.raises(PluginError, match=r"artgen\.register"):
            bare_registry().find("primitive", "heart", plugin=identity)

    @pytest.mark.parametrize("cls", [int, "Heart", None])
    def test_only_primitives(self, cls):
        with pytest.raises(PluginError, match=r"not a subclass of artgen\.Primitive"):
            bare_registry().register(cls)

    def test_invalid_name(self):
        with pytest.raises(PluginError, match="a name must be a lower-case letter"):
            bare_registry().register(type("Heart", (artgen.Splat,), {}), "My heart")

    def test_file_that_registers_its_own_class_offers_it_once(self, write):
        registry = bare_registry()
        reset_default(registry)
        try:
            registry.add_file(
                write(
                    "heart.py",
                    HEART
                    + "\n    from artgen.registry import default\n    default().register(Heart)",
                )
            )
        finally:
            reset_default()
        assert registry.find("primitive", "heart").plugin.origin == "file"
        assert len(registry.entries("primitive")) == 1


def test_observers_without_a_name_do_not_replace_each_other():
    registry, seen, again = bare_registry(), [], []
    for observe in (lambda event: seen.append(event), lambda event: again.append(event)):
        registry.register(observe, kind="observer")
    registry.observe(Event("run"))
    assert (len(seen), len(again)) == (1, 1)

    class Listener:
        def __call__(self, event):
            seen.append(event)

    # A cell of a notebook that runs twice replaces its own.
    assert [registry.register(Listener(), kind="observer") for _ in range(2)] == ["listener"] * 2


def test_a_format_of_two_plugins_has_no_longer_name(write):
    code = "import artgen\n@artgen.hookimpl\ndef artgen_exporters():\n"
    code += "    return [artgen.Spec('txt', 'Text.', lambda art, request: b'')]"
    files = [write("a.py", code), write("b.py", code)]
    with pytest.raises(PluginError, match=r"offered by a.py and b.py") as caught:
        bare_registry(files=files).find("exporter", "txt")
    assert (
        caught.value.hint == "leave out one --plugin, or set ARTGEN_DISABLE_PLUGINS to one of them"
    )


class TestRecordedPlugin:
    def test_distribution_is_taken_even_where_a_file_hides_it(self, install, write):
        install("artgen-heart", OFFERS_HEART)
        registry = Registry(environ={}, files=[write("heart.py", HEART)])
        recorded = {"name": "artgen-heart", "version": "0.1"}
        entry = registry.find("primitive", "heart", plugin=recorded)
        assert entry.distribution == "artgen-heart"
        assert registry.find("primitive", "artgen-heart/heart", plugin=recorded) == entry

    def test_missing_distribution(self):
        with pytest.raises(PluginError, match="needs artgen-heart") as caught:
            bare_registry().find("primitive", "heart", plugin={"name": "artgen-heart"})
        assert caught.value.hint == "pip install artgen-heart"

    def test_broken_distribution_gives_its_reason(self, install):
        install("artgen-valentine", "raise ImportError('old numpy')")
        registry = Registry(environ={})
        with pytest.raises(PluginError, match="old numpy"):
            registry.find("primitive", "heart", plugin={"name": "artgen-valentine"})

    def test_distribution_that_no_longer_offers_it(self, install):
        install("artgen-heart", OFFERS_HEART)
        with pytest.raises(PluginError, match=r"'hart' in artgen-heart \(did you mean heart"):
            Registry(environ={}).find("primitive", "hart", plugin={"name": "artgen-heart"})

    def test_file_by_its_hash_whatever_it_is_called(self, write):
        path = write("heart.py", HEART)
        registry = bare_registry(files=[path])
        recorded = {**registry.find("primitive", "heart").identity, "file": "old.py"}
        assert registry.find("primitive", "heart", plugin=recorded)
        assert registry.warnings == []

    def test_a_mixture_keeps_a_member_of_artgen_that_the_plugin_offers_too(self, write):
        """It was read back with the plugin's own."""
        registry = Registry(environ={}, files=[write("round.py", HEART.replace("Heart", "Circle"))])
        mixture = registry.find("primitive", "artgen/circle+circle")
        again = registry.find("primitive", mixture.name, plugin=mixture.identity)
        assert vars(again)["members"] == vars(mixture)["members"]

    def test_missing_file(self):
        recorded = {"file": "heart.py", "sha256": "0" * 64}
        with pytest.raises(PluginError) as caught:
            bare_registry().find("primitive", "heart", plugin=recorded)
        assert caught.value.hint == "pass --plugin heart.py"

    def test_changed_file_is_used_with_one_warning(self, write):
        registry = bare_registry(files=[write("heart.py", HEART)])
        recorded = {"file": "heart.py", "sha256": "0" * 64}
        for _ in range(2):
            assert registry.find("primitive", "heart", plugin=recorded)
        [warning] = registry.warnings
        assert warning.startswith("heart.py")
        assert "changed" in warning


def test_default_is_made_once_and_can_be_replaced():
    reset_default()
    try:
        assert default() is default()
        mine = bare_registry()
        reset_default(mine)
        assert default() is mine
    finally:
        reset_default()


def test_a_class_registered_under_two_names_is_returned_by_the_name_given():
    class Speck(artgen.Splat):
        """A speck."""

    reset_default(Registry(environ={}))
    try:
        assert artgen.register(Speck, "zeta") == "zeta"
        assert artgen.register(Speck, "alpha") == "alpha"
        assert artgen.register(Speck, "zeta") == "zeta"
    finally:
        reset_default()


RAMP = """
    import numpy as np

    import artgen

    def open_ramp(path, request):
        with open(path) as file:
            width, height = map(int, file.read().split())
        row, column = np.mgrid[:height, :width]
        return artgen.targets.image_from_array((row + column) / (height + width), request)
"""

OFFERS_RAMP = """
    import artgen

    @artgen.hookimpl
    def artgen_targets():
        return [artgen.Spec("ramp", "A ramp", "{module}_parts:open_ramp", files=("*.ramp",))]
"""


def test_an_installed_target_opens_files_of_its_suffix(install, tmp_path, monkeypatch, capsys):
    module = install("artgen-ramp", OFFERS_RAMP, parts=RAMP)
    monkeypatch.chdir(tmp_path)
    Path("Slope.RAMP").write_text("12 8")
    reset_default()
    try:
        options = ["-p", "circle", "-n", "2", "--steps", "2", "--no-video", "-q"]
        assert main(["fit", "Slope.RAMP", *options, "--json"]) == 0
        target = json.loads(capsys.readouterr().out)["target"]
        assert (target["name"], target["width"], target["height"]) == ("Slope.RAMP", 12, 8)
        still = Path("artgen-out/Slope-circle.png")
        assert main(["fit", "--recipe", str(still), "--out", "again", "-q"]) == 0
        assert Path("again/Slope-circle.png").read_bytes() == still.read_bytes()
    finally:
        reset_default()
    # An installed plugin takes no file from artgen.
    own = (tmp_path / "site-packages" / f"{module}.py").read_text()
    (tmp_path / "site-packages" / f"{module}.py").write_text(own.replace("*.ramp", "*.png"))
    monkeypatch.delitem(sys.modules, module)
    registry = Registry()
    assert registry.find_opener("Slope.PNG").name == "image"
    assert registry.find("target", "ramp").spec.files == ("*.png",)
    # Nobody else opens such a file.
    (tmp_path / "site-packages" / f"{module}.py").write_text("")
    monkeypatch.delitem(sys.modules, module)
    assert Registry().find_opener("Slope.RAMP").name == "image"


def test_a_folder_that_a_plugin_opens_is_one_target(write, tmp_path, monkeypatch, capsys):
    """It was taken for a folder of pictures, of which it held none."""
    code = RAMP.replace("open(path)", "open(f'{path}/size')") + OFFERS_RAMP.replace(
        '"{module}_parts:open_ramp", files=("*.ramp",)', 'open_ramp, files=("*.ramp/",)'
    )
    plugin = str(write("ramp.py", code))
    monkeypatch.chdir(tmp_path)
    Path("slope.ramp").mkdir()
    Path("slope.ramp/size").write_text("12 8")
    options = ["-p", "circle", "-n", "2", "--steps", "2", "--no-video", "-q", "--json"]
    assert main(["fit", "slope.ramp", "--plugin", plugin, *options]) == 0
    target = json.loads(capsys.readouterr().out)["target"]
    assert (target["width"], target["height"]) == (12, 8)
    line = ["make", "bricks", "slope.ramp", "--plugin", plugin, "-q"]
    assert main(line) == 0  # it was refused as a folder


@pytest.mark.parametrize("error", ["MemoryError()", "ImportError('cannot allocate memory')"])
def test_a_plugin_that_finds_no_memory_is_not_called_broken(install: Install, error: str) -> None:
    install("artgen-heart", f"raise {error}")
    with pytest.raises((MemoryError, ImportError), match=r"memory|^$"):
        Registry(environ={})


def test_a_plugin_file_that_is_a_loop_of_links_is_refused(tmp_path: Path):
    """`compare --plugin loop.png` ended with exit code 1: `Path.resolve` raises RuntimeError."""
    loop = tmp_path / "loop.py"
    loop.symlink_to("loop.py")
    with pytest.raises(PluginError, match=r"loop\.py"):
        Registry(files=[loop], entry_points=())
