"""`artgen plugins new` and `check`, used and misused as a stranger would."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers import PYTHON, use_index
from PIL import Image

from artgen import draw, load
from artgen.engines import picture_psnr
from artgen.registry import Registry
from artgen.scaffold import FAMILIES, LONGEST, OTHERS, TARGETS, TEMPLATES, create
from artgen.testing import Offer, claim
from artgen.testing.engine import _started
from artgen.testing.loss import CHECKS

ROOT = Path(__file__).parent.parent
NAMES = ["x", "petal", "soft_petal_2", "a_b", "x" * LONGEST, "_".join("abcdefghijkl")]

BROKEN = """
import artgen, torch

class Broken(artgen.Splat):
    '''A splat.'''

    params = {"size": artgen.Param(init=0.3, min=0.1)}

    def footprint(self, dx, dy, p):
        return torch.exp(-(dx * dx + dy * dy) / p.size)

    def radius(self, p):
        return 2 * p.sise
"""

pytestmark = pytest.mark.usefixtures("empty_folder")


def clean_environment(**more: str) -> dict[str, str]:
    """For processes that run as a stranger's would, with this artgen."""
    paths = [str(ROOT), str(ROOT / "plugins"), *more.pop("paths", "").split(os.pathsep)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **more}


# ---- new -----------------------------------------------------------------------------------------


# By night what compiles for many seconds.
@pytest.mark.parametrize(
    "family",
    [
        pytest.param(each, marks=[pytest.mark.nightly] * (each in ("shape", "partition")))
        for each in FAMILIES
    ],
)
def test_a_new_file_works_at_once(call, family):
    code, out, err = call("plugins", "new", "petal", "--file", "--family", family)
    assert (code, out) == (0, "petal.py\n")
    assert "artgen plugins check petal.py" in err
    assert os.listdir() == ["petal.py"]
    target = [TARGETS[family]] if family in TARGETS else ["sample:chelsea", "--size", "32"]
    assert f"artgen fit{' '.join(['', TARGETS.get(family, '')]).rstrip()} -p petal" in err
    fit = ["fit", *target, "-p", "petal", "--plugin", "petal.py"]
    assert call(*fit, "--steps", "5", "--backend", "eager", "--no-video", "-q")[0] == 0
    code, out, _ = call("plugins", "check", "petal.py")
    assert code == 0, out
    assert "failed" not in out
    assert call("plugins", "show", "petal", "--plugin", "petal.py")[0] == 0


# By day one package: the classes of the others pass the same checks as files above, and a shape and
# cells that the documentation shows are fitted and checked by test_docs.
@pytest.mark.parametrize(
    "family",
    [pytest.param(each, marks=[pytest.mark.nightly] * (each != "splat")) for each in FAMILIES],
)
def test_a_new_package_passes_its_own_tests_and_is_found(call, family):
    code, out, err = call("plugins", "new", "soft_petal", "--family", family)
    assert code == 0
    assert out.splitlines() == [
        "artgen-soft-petal/pyproject.toml",
        "artgen-soft-petal/README.md",
        "artgen-soft-petal/src/artgen_soft_petal/__init__.py",
        "artgen-soft-petal/src/artgen_soft_petal/soft_petal.py",
        "artgen-soft-petal/tests/test_soft_petal.py",
    ]
    assert f"{sys.executable} -m pip install -e artgen-soft-petal" in err
    tests = [*PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = clean_environment(ARTGEN_CACHE=os.environ["ARTGEN_CACHE"])
    done = subprocess.run(
        tests, cwd="artgen-soft-petal", env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    listed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, artgen_soft_petal as plugin\n"
            "[spec] = plugin.artgen_primitives()\n"
            "print(spec.name, spec.load, [m for m in ('torch', 'numpy') if m in sys.modules])",
        ],
        env=clean_environment(paths="artgen-soft-petal/src"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout == "soft_petal artgen_soft_petal.soft_petal:SoftPetal []\n"
    project = tomllib.loads(Path("artgen-soft-petal/pyproject.toml").read_text())
    assert project["project"]["entry-points"]["artgen"] == {"soft_petal": "artgen_soft_petal"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("family", [*FAMILIES, *OTHERS])
def test_what_is_made_is_registered_under_its_name_and_lint_clean(tmp_path, name, family):
    create(name, family, Registry(environ={}), tmp_path, single_file=False)
    [package] = tmp_path.iterdir()
    if family in FAMILIES:
        file = next(package.glob(f"src/*/{name}.py"))
        registry = Registry(files=[file])
        assert [entry.name for entry in registry.offered_by(file)] == [name]
    ruff = shutil.which("ruff", path=Path(sys.executable).parent) or shutil.which("ruff")
    assert ruff, "ruff is not installed"
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [ruff, *command, "--no-cache", "--quiet", package], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", OTHERS)
def test_a_plugin_of_another_kind_passes_its_checks(call, kind):
    assert call("plugins", "new", "tide", "--kind", kind, "--file", "-q")[0] == 0
    code, out, _ = call("plugins", "check", "tide.py", "--json")
    checked = json.loads(out)["checked"]
    assert (code, checked[-1]["kind"]) == (0, kind)
    fewer = {"look": 4, "executor": 3, "command": 2}
    assert len(checked[-1]["checks"]) >= fewer.get(kind, 6)
    assert call("plugins", "new", "tide", "--kind", kind, "-q")[0] == 0
    text = Path("artgen-tide/src/artgen_tide/__init__.py").read_text()
    assert (
        f"artgen_tide.tide:{'Tide' if kind in ('engine', 'maker', 'run') else 'tide'}" in text
        or kind == "observer"
    )


@pytest.mark.parametrize("kind", ["executor", "observer"])
def test_what_a_plugin_says_on_stderr_does_not_mix_with_its_checks(call, kind):
    """Lines such as "now: 7" stood among them."""
    assert call("plugins", "new", "tide", "--kind", kind, "--file", "-q")[0] == 0
    code, out, err = call("plugins", "check", "tide.py")
    assert (code, err) == (0, ""), out


@pytest.mark.parametrize("kind", ["form", "view", "edit", "look", "loss"])
def test_what_a_file_offers_is_described(call, kind):
    assert call("plugins", "new", "tide", "--kind", kind, "--file", "-q")[0] == 0
    code, out, err = call("plugins", "show", "tide", "--plugin", "tide.py", "--json")
    assert code == 0, err
    # An object or a table has no place of its own.
    assert (json.loads(out)["module"] is not None) == (kind == "loss")


def test_a_new_command_a_place_to_run_and_a_kind_of_run_work_at_once(call):
    for name, kind in (("light", "command"), ("aloud", "executor"), ("framed", "run")):
        assert call("plugins", "new", name, "--kind", kind, "--file", "-q")[0] == 0
    plugins = ("--plugin", "framed.py", "--plugin", "aloud.py", "--set", "kind.name=framed")
    small = ("-n", "3", "--steps", "2", "--size", "20", "--backend", "eager", "--no-video")
    code, _, err = call("fit", "sample:cat", *small, *plugins, "--on", "aloud", "--name", "cat")
    assert (code, "now: cat" in err) == (0, True)
    canvas = load("artgen-out/cat.art").canvas()
    with Image.open("artgen-out/cat.png") as still:
        assert still.size == (canvas.width + 2, canvas.height + 2)
    code, out, _ = call("light", "artgen-out/cat.art", "--size", "9", "--plugin", "light.py")
    assert code == 0
    assert 0 < float(out) < 255


def test_a_new_engine_reports_the_psnr_of_what_counts(tmp_path):
    """A mask weighed its loss, and not its PSNR."""
    create("tide", "engine", Registry(environ={}), tmp_path, single_file=True)
    registry = Registry(files=[tmp_path / "tide.py"])
    entry = registry.find("engine", "tide")
    engine, problem = _started(Offer(entry, registry, entry.load()))
    weight = torch.zeros(problem.target.shape[1:])
    weight[:, :5] = 1
    engine.start(replace(problem, weight=weight))
    shown = draw(problem.drawing, problem.primitive)
    assert engine.report().psnr == picture_psnr(shown, problem.target, weight)


def test_its_style_is_ours():
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    text = (TEMPLATES / "package/pyproject.toml.template").read_text().replace("$name =", "name =")
    theirs = tomllib.loads(text)["tool"]["ruff"]
    for key in ("line-length", "target-version"):
        assert theirs[key] == ours[key]
    assert theirs["lint"]["select"] == ours["lint"]["select"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Petal", "try petal"),
        ("soft-petal", "try soft_petal"),
        ("3d", "try d"),
        ("_petal", "try petal"),
        ("Petal2", "try petal2"),
        ("blüte", "cannot be the name"),
        ("", "try petal"),
        ("../petal", "try petal"),
        ("x" * (LONGEST + 1), "at most 24"),
        ("class", "keyword"),
        ("gaussian", "taken by artgen"),
        ("plugins", "would hide the installed module artgen_plugins"),
    ],
)
def test_bad_names_are_refused(call, name, says):
    code, out, err = call("plugins", "new", "--", name)
    assert (code, out) == (2, "")
    assert says in err
    assert os.listdir() == []


@pytest.mark.parametrize("name", ["fit", "gallery"])
def test_a_new_command_has_another_name_than_artgens_own(call, name):
    """Those hide it, so it could not be called."""
    code, out, err = call("plugins", "new", name, "--kind", "command", "--file")
    assert (code, out, os.listdir()) == (2, "", [])
    assert "artgen's own" in err


@pytest.mark.parametrize(
    ("name", "kind", "own"),
    [
        ("print", "command", "print"),
        ("part", "maker", "Part"),
        ("report", "engine", "Report"),
        ("context", "engine", "Context"),
        ("np", "target", "np"),
        ("numbers", "view", "numbers"),
        ("math", "form", "math"),
    ],
)
def test_a_new_plugin_does_not_hide_what_it_uses(call, name, kind, own):
    """It was written, with a `print` that called itself."""
    code, out, err = call("plugins", "new", name, "--kind", kind)
    assert (code, out, os.listdir()) == (2, "", [])
    assert f"{own!r} is a name that a new {kind} uses itself" in err


def test_a_file_does_not_hide_a_module(call):
    code, _, err = call("plugins", "new", "math", "--file")
    assert code == 2
    assert "would hide the installed module math" in err
    assert call("plugins", "new", "math")[:2] == (0, call_files("math"))


def call_files(name: str) -> str:
    root, module = f"artgen-{name}", f"artgen_{name}"
    files = ("pyproject.toml", "README.md", f"src/{module}/__init__.py", f"src/{module}/{name}.py")
    return "".join(f"{root}/{file}\n" for file in (*files, f"tests/test_{name}.py"))


def test_a_name_taken_by_a_loose_file_is_refused(call):
    assert call("plugins", "new", "petal", "--file")[0] == 0
    code, _, err = call("plugins", "new", "petal", "--plugin", "petal.py")
    assert code == 2
    assert "taken by petal.py" in err


@pytest.mark.parametrize("more", [(), ("--file",)])
def test_nothing_is_overwritten(call, more):
    Path("artgen-petal").mkdir()
    Path("petal.py").write_text("mine")
    code, out, err = call("plugins", "new", "petal", *more)
    assert (code, out) == (2, "")
    assert " exists" in err
    assert list(Path("artgen-petal").iterdir()) == []
    assert Path("petal.py").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(call, tmp_path):
    tmp_path.chmod(0o500)
    assert call("plugins", "new", "petal")[0] == 6


def test_half_a_plugin_is_not_left(call, monkeypatch):
    def full(path: Path, data: bytes, durable: bool = True) -> None:
        if path.suffix == ".py":
            raise KeyboardInterrupt

    monkeypatch.setattr("artgen.output.atomic_write", full)
    assert call("plugins", "new", "petal")[0] == 130
    assert os.listdir() == []


def test_an_unknown_family_is_refused(call):
    code, _, err = call("plugins", "new", "petal", "--family", "shapes")
    assert code == 2
    assert "splat" in err


def test_a_family_is_refused_for_what_has_none(call):
    """It was left out without a word, and the JSON named the family splat."""
    code, _, err = call("plugins", "new", "petal", "--kind", "loss", "--family", "field")
    assert (code, os.listdir()) == (2, [])
    assert "--family is for primitives" in err
    made = call("plugins", "new", "petal", "--kind", "loss", "--file", "--json")[1]
    assert json.loads(made)["family"] is None


# ---- check ---------------------------------------------------------------------------------------


def test_a_broken_plugin_fails_with_names_and_without_a_traceback(call):
    Path("broken.py").write_text(BROKEN)
    code, out, err = call("plugins", "check", "broken.py")
    assert code == 4
    rows = dict(line.split()[1::-1] for line in out.splitlines() if line[:3].strip())
    assert (rows["schema"], rows["drawing"], rows["options"]) == ("ok", "failed", "skipped")
    assert (
        "AttributeError: there is no parameter 'sise'; declared: colour, size, xy (broken.py, line"
        in out
    )
    assert out.count("drawing comes first") > 9
    assert err.startswith("error: broken fails ")
    assert "Traceback" not in out + err
    verbose = call("plugins", "check", "broken.py", "-v")
    assert "Traceback" in verbose[2]
    assert "Traceback" not in verbose[1]
    assert call("plugins", "check", "broken.py", "-q")[1] == ""


def test_a_failed_check_as_json(call):
    Path("broken.py").write_text(BROKEN)
    code, out, _ = call("plugins", "check", "broken.py", "--json", "-q")
    data = json.loads(out)
    assert code == data["error"]["exit_code"] == 4
    assert not data["ok"]
    [checked] = data["checked"]
    assert (checked["name"], checked["kind"], checked["ok"]) == ("broken", "primitive", False)
    states = {each["check"]: each["status"] for each in checked["checks"]}
    assert (states["loads"], states["drawing"]) == ("ok", "failed")
    assert all(each["hint"] for each in checked["checks"] if each["status"] == "failed")


def test_what_cannot_be_checked(call):
    Path("empty.py").write_text("x = 1\n")
    Path("syntax.py").write_text("def broken(:\n")
    for what, says in {
        "missing.py": "missing.py does not exist",
        "empty.py": "contains no primitive and no hook",
        "syntax.py": "SyntaxError",
        "gausian": "did you mean gaussian",
        "nobody/gaussian": "unknown primitive",
    }.items():
        code, out, err = call("plugins", "check", what)
        assert (code, out) == (4, ""), what
        assert says in err
        assert "Traceback" not in err
    assert call("plugins", "check")[0] == 2


def test_anything_that_a_plugin_offers_can_be_checked(call):
    code, out, _ = call("plugins", "check", "mse")
    assert code == 0
    assert out.splitlines()[1].split() == ["ok", "loads"]

    said = call("plugins", "check", "mse", "-v")[1]
    for check in CHECKS:
        assert re.search(rf"  ok +{check.__name__} +{re.escape(claim(check))}", said), check

    Path("two.py").write_text(
        "import artgen\n\n@artgen.hookimpl\ndef artgen_losses():\n"
        "    return [artgen.Spec('one', 'One', 'artgen.losses:l1'), artgen.Spec('two', 'Two', 'nowhere:two')]\n"
        "\n@artgen.hookimpl\ndef artgen_obsrve(event):\n    pass\n"
    )
    code, out, err = call("plugins", "check", "two.py", "-q")
    assert out == ""
    assert "two.py: unknown hook artgen_obsrve" in err
    code, out, err = call("plugins", "check", "two.py")
    assert code == 4
    version = out.split()[4]
    assert [line for line in out.splitlines() if not line.startswith(" ")] == [
        f"one: loss of two.py {version}",
        "one: 10 ok",
        f"two: loss of two.py {version}",
        "two: 1 failed",
    ]
    assert "two fails loads" in err
    assert "one fails" not in err


def test_an_observer_is_checked(call):
    Path("watch.py").write_text(
        "import artgen\n@artgen.hookimpl\ndef artgen_observe(event): pass\n"
    )
    code, out, _ = call("plugins", "check", "watch.py")
    assert code == 0
    assert out.splitlines()[0].startswith("watch: observer of watch.py")
    assert out.splitlines()[-1] == "watch: 6 ok"


def test_on_a_terminal_it_is_in_colour_and_wraps(call, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    Path("broken.py").write_text(BROKEN)
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    for variable, value in {"TERM": "xterm", "COLUMNS": "60", "NO_COLOR": ""}.items():
        monkeypatch.setenv(variable, value)
    assert call("plugins", "check", "broken.py")[0] == 4
    assert "\x1b[" in screen.getvalue()
    assert "failed" in screen.getvalue()


def test_checking_needs_no_pytest():
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "from artgen.cli import main\n"
        "sys.exit(main(['plugins', 'check', 'mse']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


# ---- beside everything that can be wrong with a plugin -------------------------------------------

OFFER = "import artgen\n@artgen.hookimpl\ndef artgen_primitives({arguments}):\n    {answer}\n"


def offer(answer: str, arguments: str = "") -> str:
    return OFFER.format(answer=answer, arguments=arguments)


SORTS = {
    "no-module": (None, "broken", "No module named"),
    "import-error": ("import no_such_module", "broken", "No module named 'no_such_module'"),
    "syntax-error": ("def broken(:", "broken", "SyntaxError"),
    "exits": ("raise SystemExit(3)", "broken", "SystemExit: 3"),
    "other-version": ("ARTGEN_API = 2", "incompatible", "it needs plugin API 2"),
    "wrong-arguments": (offer("return []", "colour"), "broken", "takes (colour), but is"),
    "raises": (offer("1 / 0"), "broken", "ZeroDivisionError"),
    "answers-none": (offer("pass"), "broken", "returned None instead of a list"),
    "answers-number": (offer("return 3"), "broken", "returned int instead of a list"),
    "no-spec": (offer("return ['heart']"), "broken", "which is not a Spec"),
    "bad-name": (offer("return [artgen.Spec('Heart', 'A', 'm:H')]"), "broken", "'Heart'"),
    "no-summary": (offer("return [artgen.Spec('heart', '', 'm:H')]"), "broken", "summary"),
    "no-place": (offer("return [artgen.Spec('heart', 'A', 'm.H')]"), "broken", "module:attribute"),
    "twice": (offer("return 2 * [artgen.Spec('heart', 'A', 'm:H')]"), "broken", "twice"),
    "typing-mistake": (offer("return []").replace("ives(", "ive("), "ok", "unknown hook"),
    "gone": (offer("return [artgen.Spec('gone', 'A', 'no_such_module:H')]"), "ok", "No module"),
    "no-primitive": (offer("return [artgen.Spec('number', 'A', 'math:pi')]"), "ok", "subclass"),
}


@pytest.fixture
def everything_wrong(tmp_path, monkeypatch):
    """Distributions as pip would leave them, one of each sort."""
    site = tmp_path / "site-packages"
    site.mkdir()
    for sort, (code, _, _) in SORTS.items():
        module = f"throwaway_{sort.replace('-', '_')}"
        if code is not None:
            (site / f"{module}.py").write_text(code)
        metadata = site / f"{sort.replace('-', '_')}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {sort}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[artgen]\n{module} = {module}\n")
    damaged = site / "damaged-1.0.dist-info"
    damaged.mkdir()
    (damaged / "entry_points.txt").write_text("[artgen]\ndamaged = throwaway_damaged\n")
    monkeypatch.syspath_prepend(site)
    yield
    for name in [name for name in sys.modules if name.startswith("throwaway_")]:
        del sys.modules[name]


def test_with_everything_wrong_the_rest_works(call, everything_wrong):
    code, out, _ = call("plugins", "list", "--json", "-q")
    assert code == 0
    listed = {info["distribution"]: info for info in json.loads(out)["plugins"]}
    assert listed["artgen"]["status"] == "ok"
    for sort, (_, status, reason) in SORTS.items():
        assert listed[sort]["status"] == status, sort
        if status != "ok":
            assert reason in listed[sort]["reason"], sort
    small = ("--size", "16", "-n", "4", "--steps", "2", "--backend", "eager", "--no-video")
    code, out, err = call("fit", "sample:chelsea", *small)
    assert (code, "Traceback" in err) == (0, False)
    assert call("doctor", "-q")[0] == 0
    assert call("plugins", "new", "heart", "-q")[0] == 2, "taken, even where its owner is broken"


@pytest.mark.parametrize("sort", SORTS)
def test_check_says_what_is_wrong(call, everything_wrong, sort):
    _, status, reason = SORTS[sort]
    code, out, err = call("plugins", "check", sort)
    assert code == 4
    assert reason in out + err
    assert "Traceback" not in out + err
    if status != "ok":
        assert f"{sort} is {status}" in err


# ---- search --------------------------------------------------------------------------------------


def test_search_finds_what_is_installed_and_the_package_of_the_index(call, package_index):
    code, out, err = call("plugins", "search", "Heart")
    assert code == 0
    assert out.splitlines()[0] == "on the package index: artgen-heart 1.1"
    assert out.splitlines()[1].endswith("-m pip install artgen-heart")
    code, out, err = call("plugins", "search", "gaussian")
    assert code == 0
    assert ["gaussian", "primitive", "artgen"] in [line.split()[:3] for line in out.splitlines()]
    assert err == "the package index has no artgen-gaussian\n"


def test_search_takes_words_of_a_summary(call):
    code, out, err = call("plugins", "search", "all scales")
    assert code == 0
    assert "The squared error at all scales" in out
    assert "cannot be the name of a package: only installed plugins were searched" in err


def test_show_describes_a_package_of_the_index(call, package_index):
    code, out, _ = call("plugins", "show", "artgen-heart")
    assert code == 0
    facts, _, readme = out.partition("\n\n")
    assert dict(re.split(r"  +", line, maxsplit=1) for line in facts.splitlines()[:-1]) == {
        "name": "artgen-heart",
        "version": "1.1",
        "installed": "no",
        "summary": "Hearts.",
        "licence": "MIT",
        "on the index": "1.1, 1.0",
    }
    assert readme == "# Two lobes\n"
    code, _, err = call("plugins", "show", "artgen-hearts")
    assert code == 4
    assert "there is no package 'artgen-hearts'" in err


def test_without_a_connection_search_and_show_say_so(call, monkeypatch, everything_wrong):
    use_index(monkeypatch, "http://127.0.0.1:9/simple")
    code, out, err = call("plugins", "search", "gaussian")
    assert (code, "gaussian" in out) == (0, True)
    assert "the package index cannot be reached: only installed plugins were searched" in err
    code, _, err = call("plugins", "show", "artgen-heart")
    assert (code, "cannot be reached" in err) == (3, True)
    code, out, _ = call("plugins", "show", "no-primitive", "--json")
    package = json.loads(out)
    assert (code, package["installed"], package["offers"]) == (0, "1.0", {"primitive": ["number"]})
    assert package["problem"] == "the package index cannot be reached"


# ---- commands of plugins -------------------------------------------------------------------------

GREET = """
import typer
import artgen

def greet(name: str = typer.Argument("you"), times: int = typer.Option(1, min=1)):
    \"\"\"Greet somebody.\"\"\"
    if name == "nobody":
        raise artgen.errors.UsageError("nobody is there", hint="name somebody")
    print(*times * ["hello"], name, 1 / (name != "bug"))
    return 7 if times > 2 else "text"

@artgen.hookimpl
def artgen_commands():
    return [
        artgen.Spec("greet", "Greets somebody.", greet),
        artgen.Spec("info", "Hides artgen's own.", greet),
        artgen.Spec("gone", "Is gone.", "no_such_module:thing"),
        artgen.Spec("seven", "Is no function.", 7),
    ]
"""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("greet", "Ann", "--times", "2"), 0, "hello hello Ann 1.0\n"),
        (("greet", "Ann", "--times", "3"), 7, "hello hello hello Ann"),
        (("greet", "--help"), 0, "Greet somebody."),
        (("greet", "--times", "0"), 2, "--times"),
        (("greet", "nobody"), 2, "name somebody"),
        (("greet", "bug"), 4, "greet.py, line 9"),
        (("great",), 2, "Did you mean 'greet'?"),
        (("gone",), 4, "no_such_module"),
        (("seven",), 4, "which cannot be called"),
        (("info", "Ann"), 3, "Ann"),
    ],
)
@pytest.mark.parametrize("flag", [("--plugin", "greet.py"), ("--plugin=greet.py",)])
def test_a_plugin_adds_a_command(call, arguments, code, words, flag):
    Path("greet.py").write_text(GREET)
    found, out, err = call(*arguments, *flag)
    assert (found, words in out + err) == (code, True), out + err


@pytest.mark.parametrize(("name", "code"), [("fit", 4), ("gallery", 4), ("tide", 0)])
def test_a_command_that_artgens_own_hides_is_told(call, name, code):
    text = GREET.partition("@artgen")[0] + "@artgen.hookimpl\ndef artgen_commands():\n"
    Path("greet.py").write_text(f'{text}    return [artgen.Spec("{name}", "Greets.", greet)]\n')
    found, _, err = call("plugins", "check", "greet.py")
    assert (found, f"artgen's own command hides {name}" in err) == (code, code == 4)


def test_commands_of_plugins_are_listed_without_their_imports():
    from typer.main import get_command

    from artgen.cli._main import make_app

    Path("greet.py").write_text(GREET)
    commands = get_command(make_app(plugins=("greet.py",))).commands
    assert {"greet", "gone", "seven"} <= set(commands)
    assert commands["gone"].help == "Is gone."
    assert "Hides" not in commands["info"].help
