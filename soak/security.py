"""Data runs no code, outputs reveal nothing private, and generated code is private."""

from __future__ import annotations

import getpass
import json
import os
import platform
import stat
import sys
import tempfile
import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from artgen.base.errors import InputError
from artgen.output import read_recipe
from soak._hostile import changed, made
from soak._promise import Promise, Tally
from soak._readers import READERS, good_files
from soak._runs import in_processes, run, save_photo, start, swift_folder

SECRET = "a-secret-folder"

_RUNS_CODE = {"exec", "compile", "pickle.find_class", "marshal.loads", "os.system", "os.exec"}
_RUNS_CODE |= {"subprocess.Popen", "os.posix_spawn", "os.fork", "socket.connect", "import"}

MARKUP = "</title><script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;--><!--"
"""What would do harm where it is not escaped."""

COMMANDS = "a\x1b]0;owned\x07b\x9b31mc"
"""What sets the title of a window, and colours all that follows."""


LONG = {"8 digits, zeros", "10,000 contours", "labels without end"}
"""Files that unpack to so much that reading takes seconds, by the code that reads others like them."""


def data_runs_no_code(tally: Tally, small: bool) -> None:
    """While hostile files are read nothing is compiled, executed, unpickled, imported, started."""
    # Large files are read by the same code as small ones, for seconds.
    changes, largest = (10, 100_000) if small else (300, 1_000_000)
    # The bug is in tables.
    for name in sorted(READERS, key=lambda name: name != "table"):
        with swift_folder() as folder:
            results = Path(folder) / "results.json"
            how = (changes, largest)
            start(_read_watched, name, good_files(), Path(folder), results, *how).join()
            found = json.loads(results.read_text()) if results.exists() else {}
            problems = [f"{event} was called" for event in found.get("events", ["nothing"])]
            tally.case(f"{found.get('cases', 0)} files: {name}", *problems)


def _read_watched(
    name: str,
    good: dict[str, list[bytes]],
    folder: Path,
    results: Path,
    changes: int,
    largest: int,
) -> None:
    import random

    from artgen.base.errors import ArtgenError

    reader, examples = READERS[name], good[name]
    files = [*made(name, good), *changed(examples, random.Random(name), changes)]
    long = LONG if largest < 1_000_000 else set()
    files = [(label, data) for label, data in files if len(data) < largest and label not in long]
    path = folder / f"file{reader.suffix}"
    events: set[str] = set()
    watching = False

    def watch(event: str, given: tuple[Any, ...]) -> None:
        # Python's own numeric libraries import a module of theirs now and then.
        ours = event != "import" or str(given[0]).split(".")[0] in ("os", "artgen_file", "evil")
        if watching and event in _RUNS_CODE and ours and not _of_a_library():
            events.add(f"{event} by {sys._getframe(1).f_globals.get('__name__')}")

    def read_all() -> None:
        for _, data in files:
            path.write_bytes(data)
            with suppress(ArtgenError, RecursionError):
                reader.read(path)

    for number, data in enumerate(examples):
        (folder / f"good{number}{reader.suffix}").write_bytes(data)
        reader.read(folder / f"good{number}{reader.suffix}")
    read_all()  # whatever is imported and compiled the first time
    sys.addaudithook(watch)
    watching = True
    read_all()
    watching = False
    results.write_text(json.dumps({"cases": len(files), "events": sorted(events)}))
    os._exit(0)


def _of_a_library() -> bool:
    """Whether code is made by a library for itself, as dataclasses and type hints do."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith("artgen"):
            return False
        if name.split(".")[0] in (
            "ast",
            "collections",
            "dataclasses",
            "importlib",
            "torch",
            "typing",
        ):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def outputs_give_nothing_away(tally: Tally, small: bool) -> None:
    """No path, user or host is in any output."""
    # Short names are found in any file.
    words = {SECRET, *(w for w in (getpass.getuser(), platform.node()) if len(w) > 5)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / SECRET
        folder.mkdir()
        photo = save_photo(folder)
        out = folder / "out"
        common = ["fit", str(photo), "-n", "5", "--seed", "1", "--quiet", "--out", str(out)]
        for primitive in ("gaussian", "triangle"):
            line = [*common, "-p", primitive, "--steps", "20", "--name", primitive]
            run([*line, "--log", str(out / f"{primitive}.jsonl")], folder)
        for suffix in ("svg", "json", "html"):
            run(
                ["render", str(out / "triangle.art"), "-o", str(out / f"shapes.{suffix}"), "-q"],
                folder,
            )
        expected = {f"shapes.{suffix}" for suffix in ("svg", "json", "html")}
        for suffix in ("art", "json", "jsonl", "mp4", "png"):
            expected |= {f"gaussian.{suffix}", f"triangle.{suffix}"}
        found = {path.name for path in out.glob("*") if path.is_file()}
        for name in sorted(expected | found):
            if name not in found:
                tally.case(name, "it is not written")
                continue
            data = (out / name).read_bytes()
            with suppress(InputError):  # in some files the recipe is compressed
                data += read_recipe(out / name).encode()
            tally.case(name, *(f"{word!r} is in it" for word in words if word.encode() in data))


def report_is_private(tally: Tally, small: bool) -> None:
    """What `artgen doctor` prints where plugins, the home folder and the environment hold names."""
    words = {SECRET, "somebody-here", "a-secret-value", platform.node()}
    for flag in ("--report", "--json", "--verbose"):
        with tempfile.TemporaryDirectory() as name:
            found = Path(name) / "report.txt"
            start(_report, flag, Path(name), found).join()
            text = found.read_text() if found.exists() else ""
            problems = [f"{word!r} is in it" for word in words if len(word) > 5 and word in text]
            tally.case(flag, *problems, None if "broken" in text else "the plugin is not reported")


def _report(flag: str, folder: Path, found: Path) -> None:
    home, site = folder / SECRET / "somebody-here", folder / SECRET / "site with spaces"
    (site / "evil-1.0.dist-info").mkdir(parents=True)
    home.mkdir()
    (site / "evil-1.0.dist-info" / "METADATA").write_text("Name: evil\nVersion: 1.0\n")
    (site / "evil-1.0.dist-info" / "entry_points.txt").write_text("[artgen]\nevil = evil\n")
    (site / "evil.py").write_text(
        "raise ImportError(f'cannot read {__file__}, /srv/a-secret-folder/x or C:\\\\a-secret-folder\\\\x')"
    )
    os.environ |= {"HOME": str(home), "LOGNAME": "somebody-here", "ARTGEN_X": "a-secret-value"}
    os.environ.pop("ARTGEN_PLUGINS", None)
    os.chdir(site)
    sys.path.append(str(site))
    from artgen.cli import main

    with found.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        main(["doctor", flag])
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


def markup_is_escaped(tally: Tally, small: bool) -> None:
    """Names with markup in them, in outputs that a browser reads."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = save_photo(folder)
        evil = folder / MARKUP.replace("/", ":")
        photo.rename(evil)
        out = folder / "out"
        line = ["fit", str(evil), "-p", "triangle", "-n", "4", "--steps", "4", "--seed", "1"]
        run([*line, "--no-video", "--name", "it", "--out", str(out), "--quiet"], folder)
        for suffix in ("svg", "html"):
            run(["render", str(out / "it.art"), "-o", str(out / f"it.{suffix}"), "-q"], folder)
        svg = (out / "it.svg").read_text() if (out / "it.svg").exists() else ""
        tally.case("SVG", _harmful(svg))
        page = (out / "it.html").read_text() if (out / "it.html").exists() else ""
        tally.case("page", _harmful_page(page))


def _harmful(svg: str) -> str | None:
    if not svg:
        return "there is none"
    try:
        tags = {element.tag.split("}")[-1] for element in ElementTree.fromstring(svg).iter()}
    except ElementTree.ParseError as error:
        return f"it is not XML: {error}"
    harmful = tags & {"script", "img", "foreignObject"}
    return f"it has {harmful}" if harmful else None


def _harmful_page(page: str) -> str | None:
    """A page has elements of its own; none of them is made of the name of a file."""
    if not page:
        return "there is none"

    class Watch(HTMLParser):
        found: str | None = None

        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            if any(name.startswith("on") or value == "x" for name, value in attributes):
                self.found = f"it has <{tag}> with {attributes}"

    watch = Watch()
    watch.feed(page)
    # A script of data would end where its text says so.
    data = page.count("<script") != 4 or page.count("</script>") != 4
    return watch.found or ("it has other scripts than its own" if data else None)


def terminals_are_not_commanded(tally: Tally, small: bool) -> None:
    """Texts with sequences that terminals obey, from wherever artgen takes texts."""
    with tempfile.TemporaryDirectory() as name, _rude_server() as port:
        folder = Path(name)
        recipe = {"target": {"source": COMMANDS}}
        files = {
            "a.json": json.dumps({"recipe": recipe}),
            "a.svg": f'<svg><metadata id="artgen-recipe">{json.dumps(recipe)}</metadata></svg>',
            "a.toml": f"[target]\nsource = {json.dumps(COMMANDS)}\n",
            "a.csv": f"1,2\n3,{COMMANDS}\n",
            "broken.py": f"print({COMMANDS!r})\nraise ImportError({COMMANDS!r})\n",
            "rude.py": "import artgen\n@artgen.hookimpl\ndef artgen_losses():\n"
            f"    return [artgen.Spec('rude', {COMMANDS!r}, 'artgen.losses:mse')]\n",
        }
        for file, text in files.items():
            (folder / file).write_text(text)
        for line in (
            ["info", "a.json"],
            ["info", "a.json", "--recipe"],
            ["info", "a.svg", "--json"],
            ["fit", "--recipe", "a.toml"],
            ["fit", "--recipe", "a.json", "--dry-run"],
            ["fit", COMMANDS],
            ["fit", "a.csv"],
            ["fit", "-p", COMMANDS],
            ["fit", f"http://127.0.0.1:{port}/a.png"],
            ["plugins", "list", "--plugin", "broken.py"],
            ["plugins", "show", "rude", "--plugin", "rude.py"],
        ):
            found = folder / "printed.txt"
            start(_print_all, line, folder, found).join()
            printed = found.read_text() if found.exists() else ""
            obeyed = sorted(set("\x1b\x07\x9b") & set(printed))
            tally.case(
                " ".join(line).replace(COMMANDS, "TEXT"),
                f"{obeyed} is printed" if obeyed else None,
                None if printed else "nothing is printed",
            )


@contextmanager
def _rude_server() -> Iterator[int]:
    """A server on this machine whose answers have a reason that terminals obey; its port."""

    class Rude(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(500, COMMANDS)
            self.end_headers()

        def log_message(self, format: str, *given: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Rude) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def _print_all(line: list[str], folder: Path, found: Path) -> None:
    from artgen.cli import main
    from artgen_plugins import web

    web._is_inside = lambda number: False
    os.chdir(folder)
    os.environ.pop("ARTGEN_PLUGINS", None)
    with found.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        main(line)
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


def the_cache_is_private(tally: Tally, small: bool) -> None:
    """Kernels are written where nobody else can, and never found in a folder of others."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, mode in (("new", None), ("open to all", 0o777)):
            cache = folder / label / "kernels"
            if mode is not None:
                cache.mkdir(parents=True)
                cache.chmod(mode)
            start(_compile, folder / label).join()
            there = cache.exists() and any(cache.iterdir())
            bits = stat.S_IMODE(cache.stat().st_mode) if cache.exists() else 0
            problem = None if there and not bits & 0o077 else f"its mode is {bits:o}"
            tally.case(f"a {label} folder", problem)
        if hasattr(os, "chown") and os.geteuid() == 0:
            cache = folder / "foreign" / "kernels"
            cache.mkdir(parents=True, mode=0o777)
            os.chown(cache, 12345, 12345)
            start(_compile, folder / "foreign").join()
            tally.case("a folder of another user", "it was used" if any(cache.iterdir()) else None)
        else:
            tally.skips.append("only the superuser can make a folder of another user")


def _compile(cache: Path) -> None:
    os.environ["ARTGEN_CACHE"] = str(cache)
    from artgen.compiler import kernel_cache

    kernel_cache.load("def one():\n    return 1\n")
    os._exit(0)


# ---- bugs ----------------------------------------------------------------------------------------


def _evaluate() -> None:
    """Numbers of tables and expressions are given to Python."""
    import artgen_plugins.table as table

    def is_number(text: str) -> bool:
        try:
            return isinstance(eval(text, {"__builtins__": {}}), int | float)
        except Exception:
            return False

    table._is_number = is_number


def _say_where() -> None:
    """The recipe keeps the path of its target."""
    from artgen.runs.kinds.picture import run as picture

    complete = picture.complete

    def telling(recipe: Any, target: Any, *given: Any) -> Any:
        done = complete(recipe, target, *given)
        return done.with_target(source=recipe.target.source)

    picture.complete = telling


def _with_paths() -> None:
    """What others say is passed on as it is."""
    import artgen.cli._machine as doctor

    doctor._without_paths = lambda text: text


def _unescaped() -> None:
    """Text goes into SVG as it is."""
    import artgen.output.svg.document as document

    document.escaped_recipe = lambda recipe_json: recipe_json


def _obedient() -> None:
    """Texts reach standard output as they are."""
    import artgen.cli._streams as streams

    streams.visible = lambda text: text


def _open_cache() -> None:
    """The cache is what it was made as, by whomever."""
    import artgen.compiler.kernel_cache as kernel_cache

    def folder() -> Path:
        path = Path(os.environ["ARTGEN_CACHE"]) / "kernels"
        path.mkdir(parents=True, exist_ok=True)
        return path

    kernel_cache.cache_folder = folder


PROMISES = [
    Promise(
        "no-code",
        "Recipes, `.art` files, pictures, tables and expressions are data: reading them runs, "
        "unpickles, imports and starts nothing.",
        "Hostile files of every kind are read while Python reports what is compiled, executed, "
        "unpickled or started.",
        data_runs_no_code,
        lambda: in_processes(_evaluate),
        "numbers are passed to Python's `eval`",
    ),
    Promise(
        "nothing-given-away",
        "Outputs hold no absolute path, user or host name.",
        "Everything that a fit and an export write is searched.",
        outputs_give_nothing_away,
        lambda: in_processes(_say_where),
        "the recipe keeps the path of its target",
    ),
    Promise(
        "private-report",
        "The bug report of `artgen doctor` holds no path, user, host or secret.",
        "A plugin that fails with paths in its message, and names in the home folder and the "
        "environment.",
        report_is_private,
        lambda: in_processes(_with_paths),
        "messages are not filtered",
    ),
    Promise(
        "markup",
        "Everything that a browser reads is escaped.",
        "A target with markup in its name; its SVG and its page are parsed.",
        markup_is_escaped,
        lambda: in_processes(_unescaped),
        "text in SVG is not escaped",
    ),
    Promise(
        "terminal",
        "A terminal shows the control characters in texts of others, and obeys none.",
        "Recipes, tables, names, plugins and answers of a server that set the title of a window; "
        "all that is printed is searched.",
        terminals_are_not_commanded,
        lambda: in_processes(_obedient),
        "texts are printed as they are",
    ),
    Promise(
        "private-cache",
        "Kernels are cached where nobody else can write; a folder of another user is not used.",
        "Caches that are new, open to all, and owned by another user.",
        the_cache_is_private,
        lambda: in_processes(_open_cache),
        "the folder is not checked",
    ),
]
