"""The documentation is true: its code runs, its links lead somewhere, every hook is in it.

A fenced block runs in its document's own folder, in order. A comment line directly above says what
is special about it: `<!-- file: NAME -->` writes it to a file that later blocks use,
`<!-- exits with: CODE -->` is about a command that shall fail, `<!-- printed -->` quotes lines of what
the block before printed, and `<!-- not run: REASON -->` leaves it alone.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from helpers import with_few_frames

import artgen
from artgen import events, hookspecs, making, recipe
from artgen.cli import main
from artgen.cli._main import make_app
from artgen.targets import Source

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [
        *ROOT.glob("docs/**/*.md"),
        *(ROOT / f"{n}.md" for n in ("README", "SECURITY", "CONTRIBUTING")),
    ]
)
FENCE = re.compile(r"(?:^<!-- ([^\n]+) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = ("python", "bash", "toml", "csv")

SMALL = {
    **{"--size": "32", "--steps": "2", "--backend": "eager"},
    **{"--video-seconds": "1", "--fps": "10"},
}
"""What a fit in the documentation gets unless it says so itself: it is run for its flags, and what
its steps and pixels make is looked at by tests of its kind."""

SMALL_COMPARISON = {"--size": "48", "--steps": "2", "--threads": "1"}
"""The same for a comparison; the steps come beside any time or bytes."""

MOST_SECONDS = 1800
"""What a command may take as it stands; on two quiet cores the longest take some minutes."""


@dataclass(frozen=True)
class Block:
    """A fenced block; `note` is the comment above it."""

    line: int
    note: str
    language: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    document = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(document):
        line = document[: match.start(3)].count("\n")
        yield Block(line, match[1] or "", match[2], match[3])


def runnable(page: Path) -> bool:
    return any(b.language in CODE and not b.note.startswith("not run: ") for b in blocks(page))


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder with a photograph; what pages register stays with them."""
    from PIL import Image
    from skimage import data

    from artgen.registry import reset_default

    Image.fromarray(data.coffee()[::6, ::6]).save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    reset_default()
    yield tmp_path
    reset_default()


LONG_PAGES = {
    *("batches", "clips", "codecs", "exports", "films", "latents", "music", "plotter"),
    *("primitives", "samples", "views"),
}
"""Pages that take ten seconds or more. By day their commands are parsed, and what these do is tried by
the tests of batches, clips, codecs, ...; by night they are run."""

RUNNABLE = list(filter(runnable, PAGES))
each_runnable = pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.name)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(each, id=each.name, marks=[pytest.mark.nightly] * (each.stem in LONG_PAGES))
        for each in RUNNABLE
    ],
)
def test_blocks_run(page, workplace, capfd, monkeypatch):
    # A thing takes seconds, thirty commands make one, and `docs/tasks.md` has one for each of these
    # kinds. So they get their options and their motif, and what they make is empty.
    tasks = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
    elsewhere = set(re.findall(r"`artgen make ([\w-]+) ", tasks))
    run_maker = making.run_maker

    def made(kind: str, maker: making.Maker, motif: making.Motif) -> making.Made:
        if kind not in elsewhere:
            return run_maker(kind, maker, motif)
        parts = (making.Part("part", number=1),)
        return making.Made({}, parts, np.zeros((1, 1, 3), np.uint8))

    monkeypatch.setattr(making, "run_maker", made)
    follow(page, capfd, run_command)


@pytest.mark.parametrize(
    "page", [each for each in RUNNABLE if each.stem in LONG_PAGES], ids=lambda page: page.name
)
def test_commands_of_long_pages_are_understood(page, workplace, capfd):
    follow(page, capfd, parse_command, runs=False)


@pytest.mark.nightly
@each_runnable
def test_blocks_run_as_they_stand(page, workplace, capfd):
    follow(page, capfd, run_as_it_stands)


def follow(page: Path, capfd, run: Callable[[str, str, int], None], *, runs: bool = True) -> None:
    """Do what a page says; `run` takes a command, where it stands and its exit code.

    If nothing `runs`, no Python does, and nothing is printed.
    """
    names: dict[str, object] = {}
    for block in blocks(page):
        where = f"{page.name}, line {block.line}"
        if block.note == "printed" and runs:
            text = "".join(capfd.readouterr())
            for line in block.text.splitlines():
                assert line in text, f"{where}: {line!r} was not printed, but:\n{text}"
        if block.language not in CODE or block.note.startswith("not run: "):
            continue
        if block.note.startswith("file: "):
            Path(block.note.removeprefix("file: ")).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            if not runs:
                continue
            exec(compile("\n" * block.line + block.text, str(page), "exec"), names)
        elif block.language == "bash":
            code = int(block.note.removeprefix("exits with: ") or 0)
            for command in filter(None, block.text.splitlines()):
                run(command, where, code)
        else:
            pytest.fail(f"{where}: a {block.language} block needs a note: a file, or not run")


def run_command(command: str, where: str, code: int = 0) -> None:
    program, *arguments = shlex.split(command, comments=True)
    assert program == "artgen", f"{where}: {command!r} cannot be run, it needs a note"
    if "--name" in arguments:
        # Some of three thousand digits do, which would name the outputs otherwise.
        arguments = [f"{each}?n=240" if each == "sample:digits" else each for each in arguments]
    if arguments[0] == "fit" and not {"--recipe", "--resume"} & set(arguments):
        missing = {flag: value for flag, value in SMALL.items() if flag not in arguments}
        if "--quality" in arguments:
            missing.pop("--steps", None)
        if len(arguments) == 2:
            # With a word about how it is drawn, a picture has not the usual look.
            missing = {"--size": "48"}
        if any("digits" in argument for argument in arguments):
            # They are 28 pixels large, and there are thousands.
            missing.pop("--size", None)
        if any("clip" in argument for argument in arguments):
            # Its film has frames of its own.
            missing.pop("--video-seconds", None)
            missing.pop("--fps", None)
        arguments += [word for pair in missing.items() for word in pair]
    if arguments[0] == "compare":
        missing = {k: v for k, v in SMALL_COMPARISON.items() if k not in arguments}
        if any("digits" in argument for argument in arguments):
            missing.pop("--size", None)
        arguments += [word for pair in missing.items() for word in pair]
    if arguments[0] == "render":
        # A large picture is drawn by what draws a small one; by night it has all its pixels.
        arguments = [
            "512" if flag == "--size" and word.isdigit() else word
            for flag, word in itertools.pairwise(["", *arguments])
        ]
    assert main(with_few_frames(arguments)) == code, f"{where}: {command}"


def parse_command(command: str, where: str, code: int = 0) -> None:
    """Parse a command, as far as its flags and their types."""
    arguments = shlex.split(command, comments=True)[1:]
    parsed: Any = typer.main.get_command(make_app(arguments[0]))
    name = "artgen"
    while hasattr(parsed, "commands") and arguments:
        name = arguments.pop(0)
        parsed = parsed.commands[name]
    if not code:
        parsed.make_context(name, arguments)


def run_as_it_stands(command: str, where: str, code: int = 0) -> None:
    """In a process of its own, with all its steps and compiled, as a reader would."""
    program, *arguments = shlex.split(command, comments=True)
    assert program == "artgen", where
    done = subprocess.run([sys.executable, "-m", "artgen", *arguments], timeout=MOST_SECONDS)
    assert done.returncode == code, f"{where}: {command}"


def test_a_wrong_command_would_be_noticed(workplace):
    with pytest.raises(AssertionError, match="here"):
        run_command("artgen fit photo.jpg -p no-such-primitive", "here")
    with pytest.raises(AssertionError, match="needs a note"):
        run_command("pip install artgen", "here")
    with pytest.raises(typer.TyperException, match="--no-such-flag"):
        parse_command("artgen render a.art --no-such-flag", "here")


def test_notes_are_understood():
    for page in PAGES:
        for block in blocks(page):
            assert re.fullmatch(r"|printed|file: [\w.]+|exits with: \d|not run: .+", block.note), (
                f"{page}: {block.note}"
            )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_resolve(page):
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, spelled as GitHub does."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_page_is_reachable_from_the_readme():
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop().resolve()
        if page not in seen:
            seen.add(page)
            links = re.findall(r"\]\(([^)#\s]+\.md)\)", page.read_text(encoding="utf-8"))
            todo += [page.parent / link for link in links if "://" not in link]
    assert {page.resolve() for page in PAGES} <= seen


def sections(page: Path) -> dict[str, str]:
    """The text under each second-level heading of a page."""
    parts = re.split(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_hook_is_documented_with_its_arguments():
    hooks = {n: hook for n, hook in vars(hookspecs).items() if n.startswith("artgen_")}
    arguments = {name: list(inspect.signature(hook).parameters) for name, hook in hooks.items()}
    documented = sections(ROOT / "docs" / "hooks.md")
    headings = {f"`{name}({', '.join(arguments[name])})`": name for name in hooks}
    assert {heading for heading in documented if heading.startswith("`")} == set(headings)
    for heading, name in headings.items():
        for argument in arguments[name]:
            assert f"| `{argument}` |" in documented[heading], f"{heading}: {argument}"


def test_every_event_is_documented_with_its_fields():
    section = sections(ROOT / "docs" / "hooks.md")["`artgen_observe(event)`"]
    rows = dict(re.findall(r"^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \|", section, re.MULTILINE))
    common = {"run"}
    for name in set(events.__all__) - {"Event", "Observer", "Step"}:
        own = {field.name for field in fields(getattr(events, name))} - common
        assert set(re.findall(r"\w+", rows[name])) == own, name


def test_every_key_of_a_recipe_is_documented():
    keys = sections(ROOT / "docs" / "recipes.md")["Keys"]
    parts = re.split(r"^`\[+(\w+)\]+`", keys, flags=re.MULTILINE)
    tables = dict(zip(["top", *parts[1::2]], parts[0::2], strict=True))
    documented = {
        name: set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
        for name, text in tables.items()
    }
    top = recipe.Recipe.declared()
    models = {name: key.table for name, key in top.items() if key.table and name != "init"}
    assert documented.pop("top") == set(top) - set(models)
    assert documented == {name: set(model.declared()) for name, model in models.items()}


def test_the_tables_of_keys_are_those_that_are_declared():
    page = ROOT / "docs" / "recipes.md"
    text = page.read_text(encoding="utf-8")
    declared = runpy.run_path(str(ROOT / "tools" / "declared.py"))
    assert declared["recipes_page"](text) == text, "run `make declared`"
    stub = ROOT / "artgen" / "api" / "calls.pyi"
    assert declared["stub"]() == stub.read_text(encoding="utf-8"), "run `make declared`"


def test_the_readme_and_the_page_of_primitives_name_what_exists():
    from artgen.registry import Registry

    registry = Registry(environ={})
    page = sections(ROOT / "docs" / "primitives.md")
    for kind, heading in (("primitive", "Primitives"), ("engine", "Engines"), ("loss", "Losses")):
        named = set(re.findall(r"^\| `([\w-]+)` \|", page[heading], re.MULTILINE))
        assert named == {entry.name for entry in registry.entries(kind)}
    readme = sections(ROOT / "README.md")["What there is"]
    families = re.findall(r"^\| \w+: .*?\| (.*) \|$", readme, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(families))) == sorted(
        entry.name for entry in registry.entries("primitive")
    )


def test_every_primitive_has_a_small_picture():
    from artgen.registry import Registry

    page = (ROOT / "docs" / "primitives.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^]]+\]\(images/parts/(\w+)\.webp\)<br>`(\w+)`", page)
    names = sorted(entry.name for entry in Registry(environ={}).entries("primitive"))
    assert sorted(shown) == [(name, name) for name in names]
    files = [*(ROOT / "docs/images/parts").iterdir()]
    assert sorted(path.stem for path in files) == names
    assert sum(path.stat().st_size for path in files) < 400_000


def test_scripts_of_pictures_import_what_there_is():
    """The one of the forms of film named a table that had moved."""
    for script in sorted((ROOT / "docs/images").glob("*.py")):
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("artgen"):
                module = importlib.import_module(str(node.module))
                for name in (each.name for each in node.names):
                    assert hasattr(module, name), f"{script.name}: {node.module}.{name}"


def test_every_kind_of_making_is_shown_step_by_step():
    text = "".join((ROOT / f"docs/{page}.md").read_text("utf-8") for page in ("making", "patterns"))
    shown = re.findall(r"!\[[^]]{12,}\]\(images/making/([\w-]+)\.webp\)", text)
    files = [*(ROOT / "docs/images/making").iterdir()]
    assert sorted(shown) == sorted(path.stem for path in files)
    script = (ROOT / "docs/images/making_steps.py").read_text("utf-8")
    names = re.search(r"^KINDS = \(\n(.+?)^\)", script, re.MULTILINE | re.DOTALL)[1]
    assert sorted(re.findall(r"\w+", names)) == sorted(name.replace("-", "_") for name in shown)
    assert max(path.stat().st_size for path in files) <= 60_000


def test_the_layers_are_those_that_are_checked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    checked = project["tool"]["importlinter"]["contracts"][0]["layers"]
    table = sections(ROOT / "docs" / "architecture.md")["Layers"]
    rows = [
        re.findall(r"`(artgen\.[\w.]+)`", row) for row in table.splitlines() if "`artgen." in row
    ]
    documented = [set(row) for row in rows if row]
    assert documented == [
        {f"artgen.{name}" for name in re.split(" [|:] ", layer)} for layer in checked
    ]


def test_helpers_in_the_plugin_guide_are_public():
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    table = page[page.index("Helpers, in the modules") : page.index("A function of your own")]
    helpers = re.findall(r"`(?:(\w+)\.)?(\w+)\(", table)
    assert len(helpers) >= 9
    for module, name in helpers:
        assert name in (getattr(artgen, module) if module else artgen).__all__, name


def test_the_site_has_every_page_once():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r"([\w/-]+\.md)$", text[text.index("nav:") :], re.MULTILINE)
    there = {page.relative_to(ROOT / "docs").as_posix() for page in ROOT.glob("docs/**/*.md")}
    hook = (ROOT / "docs" / "site_pages.py").read_text(encoding="utf-8")
    outside = set(re.findall(r'^    ".+\.md": "(.+\.md)",', hook, re.MULTILINE))
    assert len(outside) == 5
    assert sorted(listed) == sorted(there | outside)


def test_every_hook_that_offers_something_has_a_guide():
    page = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    guides = {path.stem: path.read_text(encoding="utf-8") for path in ROOT.glob("docs/guides/*.md")}
    assert set(re.findall(r"\(guides/(\w+)\.md\)", page)) == set(guides)
    for hook in vars(hookspecs):
        if hook.startswith("artgen_") and hook != "artgen_observe":
            assert any(f"def {hook}(" in guide for guide in guides.values()), hook


def files_written(page: Path) -> Iterator[str]:
    """The files that the commands of a page write under names that a reader sees in them."""
    for block in blocks(page):
        if block.language != "bash" or block.note.startswith("not run: "):
            continue
        for line in filter(None, block.text.splitlines()):
            _, command, *words = shlex.split(line, comments=True)
            pairs = list(itertools.pairwise(words))
            yield from (
                file for flag, file in pairs if flag in ("-o", "--log", "--graph", "--video")
            )
            flags = dict(pairs)
            if command != "fit" or "--seeds" in flags:
                continue
            primitive = flags.get("-p", "gaussian")
            targets = [] if "--recipe" in flags else itertools.takewhile(_is_word, words)
            names = [f"{Source.parse(target).stem}-{primitive}" for target in targets]
            for name in [flags["--name"]] if "--name" in flags else names:
                yield f"{flags.get('--out', 'artgen-out')}/{name}"


def _is_word(text: str) -> bool:
    return not text.startswith("-")


def test_pages_can_be_followed_in_one_folder():
    owners: dict[str, str] = {}
    for page in PAGES:
        for file in set(files_written(page)):
            assert owners.setdefault(file, page.name) == page.name, file
