"""Command lines and recipes made from what artgen declares: its commands, options, keys and plugins.

`read_grammar` asks the command line itself, the tables of a recipe and the catalogue of plugins. A
`Case` follows from the grammar, a seed and a number. Three of five give one option, or one key, a value
of one kind, in turn until each had all; the others give several options, or several keys.
"""

from __future__ import annotations

import datetime
import functools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args, get_origin

__all__ = ["RECIPE", "Case", "Grammar", "Place", "read_grammar"]

RECIPE = "case/recipe.toml"
"""Where the recipe of a case lies."""

LONG = "x" * 5000

TEXTS: dict[str, Sequence[str]] = {
    "empty": ["", " ", "\n", "\t", "\u00a0"],
    "huge": ["1e308", "9" * 400, "99999999999999999999", "2147483648", "65536", LONG],
    "negative": ["-1", "-0.5", "-1e300", "-99999999999"],
    "zero": ["0", "0.0", "-0", "1e-300"],
    "fraction": ["0.5", "1/3", "50%", ".5", "1_000", "1e3"],
    "not finite": ["nan", "inf", "-inf", "Infinity"],
    "whole": ["1", "2", "3", "7", "24"],
    "unit": ["3cm", "10MB", "2s", "1m", "3h", "5 px", "300dpi", "2in", "5mm", "1KiB"],
    "letters": ["٣", "½", "日本", "ß", "\u202e", "é", "🙂", "İ", "\udcff", "a\u0301"],
    "control": ["\x1b]0;title\x07", "\x1b[31mred", "a\rb", "a\nb", "\x7f", "\x9b31m", "\u2028"],
    "list": ["1,2", "1,,2", ",", "1..3", "3..1", "a=b", "=", "a:b", "1x1", "0x0", "1:1", "0:0"],
    "mixture": ["0.5,0.5", "#e63946,teal", "triangle+line", "mse+", "0.1*l1", "a*b+c", "((", "@0"],
    "word": ["auto", "none", "true", "all", "-", "--", "--help", "-q", "None", "null", "best"],
    "path": ["missing.png", "no/such.art", "missing", "linked", "it", "a/../photo.png", "con"],
    "address": ["http://[/x", "http://127.0.0.1:9/x.png", "https://", "HTTP://localhost/x"],
    "source": ["sample:zork", "sample:", "curve:", "curve:1/0", "points:", "frames:photos", ":"],
}
"""Values of each kind, as typed."""

VALUES: dict[str, Sequence[Any]] = {
    "empty": ["", [], {}, " "],
    "huge": [2**62, 10**30, 10**400, 1e308, LONG, 65536, [1] * 2000],
    "negative": [-1, -0.5, -(2**63), -1e300],
    "zero": [0, 0.0, -0.0, 1e-300],
    "fraction": [0.5, 1.5, 1e3],
    "not finite": [float("nan"), float("inf"), -float("inf")],
    "whole": [1, 2, 3, 7, 24],
    "truth": [True, False],
    "letters": TEXTS["letters"][:-2],
    "control": [*TEXTS["control"], "a\x00b"],
    "list": [[1], [[1]], ["a"], [1, "a"], [{}], [0.5, 0.5], [[1, 2], [3, 4]], ["#f00", "teal"]],
    "table": [{"a": 1}, {"name": "photo.png"}, {"name": 3}, {"name": "x", "sha256": "x"}],
    "date": [datetime.date(2026, 1, 2), datetime.time(1, 2), datetime.datetime(2026, 1, 2)],
    "text": [*TEXTS["list"], *TEXTS["mixture"], *TEXTS["word"], *TEXTS["unit"]],
    "path": [*TEXTS["path"], *TEXTS["address"], *TEXTS["source"]],
}
"""Values of each kind, in a recipe."""

FILE, PLACE_OF_FILES, DEVICE, PART = "file", "folder", "device", "with a file"
"""The kinds whose values are what there is in the folder, or name it."""

PARTS = ("texture:{}", "mse+0.3*texture:{}", "photo={}", "wipe={}", "frames:{}", "{}?n=3", "{},{}")
PARTS += ("source={}", "font={}", "stamp={}", "./{}", "{}/", "sample:{}", "file://{}", "points:{}")

FOLDERS = ("photos", "pieces", "nothing", ".", "photos/", "folder.png", "out")
DEVICES = ("pipe.png", "socket.png", "zero.png", "full.png", "loop.png", "dangling.png", "link.png")
DEVICES += ("pipe.art", "full.jsonl", "pipe.mp4")

SOURCES = (*["photo.png"] * 12, "wide.png", "logo.png", "table-0.csv", "video-0.mp4", "photos")
SOURCES += ("curve:sin(3*x)?n=20", "sample:digits?n=20", "frames:photos", "animation-0.gif")

WORDS: dict[str, Sequence[str]] = {
    "PX": ["16", "20"],
    "WxH": ["20x12", "16x16"],
    "CM": ["0.2cm", "5mm", "0.2in"],
    "W:H": ["9:16", "1:1"],
    "X,Y": ["0.3,0.6"],
    "X,Y,R": ["0.5,0.5,0.2", "0.1,0.1,0.1;0.9,0.9,0.1"],
    "COLOUR": ["#f00", "teal", "0.2,0.3,0.4", "auto", "background"],
    "COLOURS": ["riso", "4", "#e63946,teal", "viridis:5", "palette-0.gpl"],
    "N": ["1", "3", "8"],
    "N,...": ["2", "1,2"],
    "SECONDS": ["0.3", "1"],
    "SECONDS,...": ["0.3", "0.2,0.1"],
    "LOSS,...": ["mse", "l1+0.1*ssim", "mse+0.3*texture:photo.png", "mse,l1"],
    "NAME,...": ["gradient", "climb", "climb,gradient", "genetic", "place", "solve"],
    "DB": ["20"],
    "STEPS": ["1", "5"],
    "STEM": ["it", "other"],
    "MM": ["1", "0.5"],
    "K": ["2"],
    "X": ["2", "0.5"],
    "SIZE": ["10MB", "3kB"],
    "PORT": ["45123"],
    "SHARE": ["0.5"],
    "COMMAND": ["true", "false", "exit 3"],
    "PAPER": ["A4", "100x80"],
    "PLACE": ["picture:0", "mean", "random:1", "0.1,0.2"],
    "WALK": ["linear", "spherical:0,1", "axis:0", "labels"],
    "SET": ["sample:digits?n=20", "photos"],
    "SLUG": ["one"],
    "WORD": ["dots", "gaussian"],
    "DIR": ["pieces", "photos", "out"],
    "URL": ["memory://x"],
    "ART": ["art-0.art", "art-1.art", "art-2.art", "film-0.art", "film-1.art", "codec.art"],
    "FORM[=FILE]": ["wipe", "side-by-side=photo.png", "zoom", "fly-in", "centres"],
    "photo[=FILE]": ["photo", "photo=photo.png"],
    "1..20": ["1..2", "1,4"],
    "NAME[@ENGINE][:KEY": ["gaussian:count=3", "triangle@climb:count=2", RECIPE],
    "KEY=VALUE": ["preset=fine", "blend=sum", "engine.rate=0.5", "clip.cut=0", "tiles.margin=4"],
    "FILE": [
        "photo.png",
        "mask.png",
        "palette-0.gpl",
        "out/new.png",
        "out/new.svg",
        "out/new.mp4",
        "out/new.html",
        "out/new.art",
        "-",
    ],
    "TARGET": SOURCES,
}
WORDS |= dict.fromkeys(("A", "B"), WORDS["ART"])
"""What fits the word in capitals in the help of an option."""

OF_ARGUMENTS: dict[str, Sequence[str]] = {
    "plot": ["log-0.jsonl"],
    "info": ["art-0.art", "recipe-in-a-picture-0.png", "recipe-in-a-page-0.html", "video-0.mp4"],
    "plugins new": ["violet", "rose2"],
    "plugins show": ["gaussian", "climb", "neon"],
    "plugins check": ["neon", "petal.py", "svg"],
}
"""What fits the arguments of commands, where their words do not say it."""

SHORT: dict[str, dict[str, str]] = {
    "fit": {
        "--steps": "2",
        "--count": "4",
        "--size": "24",
        "--video-seconds": "0.3",
        "--fps": "5",
        "--threads": "1",
        "--seed": "1",
    },
    "compare": {"--steps": "2", "--seed": "1", "--threads": "1", "--primitive": "gaussian:count=4"},
    "morph": {"--seconds": "0.3", "--hold": "0", "--fps": "5"},
    "studio": {"--primitive": "gaussian"},
}
"""The options that keep a command short; a case may replace them."""

_PRIMITIVES = ("gaussian", "triangle", "fourier", "circle", "voronoi", "mesh", "stipple", "mlp")
"""Those that are fitted most often."""


@dataclass(frozen=True)
class Place:
    """Where a value goes: an option or an argument of a command, or a key of a recipe.

    `fits` are values that fit, `low` and `high` the bounds of numbers.
    """

    command: str
    name: str
    fits: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    form: Literal["option", "switch", "argument", "key"] = "option"

    @property
    def kinds(self) -> list[str]:
        """The kinds of values that it is given."""
        if self.form == "switch":
            return ["given"]
        table = VALUES if self.form == "key" else TEXTS
        bounds = [] if self.low is None and self.high is None else ["bounds"]
        return ["fits", *bounds, *table, FILE, PLACE_OF_FILES, DEVICE, PART, "name"]

    def __str__(self) -> str:
        return f"{self.command} {self.name}".strip()


@dataclass(frozen=True)
class Case:
    """A command line, and the recipe at `RECIPE` as TOML, or as bytes that are none."""

    words: tuple[str, ...]
    recipe: bytes = b""
    stdin: str = ""
    """The name of a file that is piped in."""
    tried: tuple[tuple[str, str], ...] = ()
    """The places and kinds of its values."""


@dataclass(frozen=True, eq=False)
class Grammar:
    """The places of values; `names` are those of everything that plugins offer.

    `counted` are the primitives that have a count.
    """

    options: tuple[Place, ...]
    keys: tuple[Place, ...]
    names: tuple[str, ...]
    counted: frozenset[str]
    files: tuple[str, ...] = ()

    @functools.cached_property
    def commands(self) -> dict[str, list[Place]]:
        """The places of each command."""
        found: dict[str, list[Place]] = {}
        for place in self.options:
            found.setdefault(place.command, []).append(place)
        return found

    def singles(self, places: Sequence[Place], seed: int) -> list[tuple[Place, str]]:
        """Each place with each kind of value, in the order of a seed."""
        every = [(place, kind) for place in places for kind in place.kinds]
        random.Random(seed).shuffle(every)
        return every

    def case(self, seed: int, number: int) -> Case:
        """The case with this number."""
        rng = random.Random(f"{seed}:{number}")
        what = _TURNS[number % len(_TURNS)]
        if what in ("option", "key"):
            before = _TURNS[: number % len(_TURNS)].count(what)
            index = number // len(_TURNS) * _TURNS.count(what) + before
            every = _ordered(self, f"{what}s", seed)
            chosen = [every[index % len(every)]]
            return self._line(chosen, rng) if what == "option" else self._recipe(chosen, rng)
        if what == "options":
            places = self.commands[rng.choice([*self.commands, *["fit"] * 12, *["render"] * 6])]
            places = [place for place in places if place.name not in _HELPS]
            places = rng.sample(places, min(len(places), rng.choice([1, 2, 2, 3])))
            if places:
                return self._line([(place, _any_kind(place, rng)) for place in places], rng)
        owner = rng.choice(self.keys).command
        tables = {"target", "primitive", "stage", "output", "run", "seed", "look", "init"}
        tables.add(rng.choice(["", "", "", "clip", "tiles", "piece", "morph", "kind"]))
        names = [place.name for place in self.keys]
        together = [
            place
            for place in self.keys
            if place.command in ("", owner)
            and place.name.partition(".")[0] in tables
            and not place.name.endswith("sha256")
            and not any(name.startswith(f"{place.name}.") for name in names)
        ]
        some = rng.sample(together, rng.choice([1, 2, 3, 5]))
        return self._recipe([(place, _any_kind(place, rng)) for place in some], rng)

    def value(self, place: Place, kind: str, rng: random.Random) -> Any:
        """A value of a kind."""
        if kind == "fits" and place.fits:
            return rng.choice(place.fits)
        if kind == "bounds":
            ends = [end for end in (place.low, place.high) if end is not None]
            number = rng.choice([*ends, *(end + step for end in ends for step in (-1, 1))])
            return number if place.form == "key" else str(number)
        if kind == FILE:
            return rng.choice(self.files or ("photo.png",))
        if kind == "name":
            return rng.choice(self.names)
        if kind == PART:
            named = self.value(place, rng.choice([FILE, PLACE_OF_FILES, DEVICE]), rng)
            return rng.choice(PARTS).replace("{}", named)
        shared = {PLACE_OF_FILES: FOLDERS, DEVICE: DEVICES}.get(kind)
        table = VALUES if place.form == "key" else TEXTS
        return rng.choice(shared or table.get(kind, TEXTS["whole"]))

    def _line(self, chosen: Sequence[tuple[Place, str]], rng: random.Random) -> Case:
        """A command line with these values, short where they do not ask for more."""
        command = chosen[0][0].command
        places = self.commands.get(command, [])
        given = {place.name: self.value(place, kind, rng) for place, kind in chosen}
        words = command.split() if rng.random() < 0.99 else [rng.choice(self.names + self.files)]
        words += self._short(command, given, rng)
        for place, _ in chosen:
            value = str(given[place.name])
            if place.form == "switch":
                words.append(place.name)
            elif place.form == "option":
                joined = rng.random() < 0.2 and place.name.startswith("--")
                words += [f"{place.name}={value}"] if joined else [place.name, value]
        for place in places:
            if place.form == "argument" and rng.random() < 0.97:
                fitting = rng.choice([*place.fits[:1] * len(place.fits), *place.fits])
                words.append(str(given.get(place.name, fitting)))
        recipe = self._recipe([], rng).recipe if RECIPE in words or rng.random() < 0.05 else b""
        stdin = rng.choice(self.files) if "-" in words and self.files else ""
        tried = tuple((str(place), kind) for place, kind in chosen)
        return Case(tuple(words), recipe, stdin, tried)

    def _short(self, command: str, given: dict[str, Any], rng: random.Random) -> Iterator[str]:
        """Options that keep a command short, and some that many are given with."""
        places = self.commands.get(command, ())
        left = {place.name: place.form for place in places if place.name not in given}
        short = SHORT.get(command, {}) if rng.random() < 0.98 else {}
        if command == "fit" and "--primitive" in left and rng.random() < 0.6:
            name = rng.choice(_PRIMITIVES)
            yield from ("--primitive", name)
            if name not in self.counted:
                left.pop("--count", None)
        for option, value in short.items():
            if option in left:
                yield from (option, value)
        for switch, share in (("--json", 0.15), ("--quiet", 0.1), ("--overwrite", 0.2)):
            if left.get(switch) == "switch" and rng.random() < share:
                yield switch

    def _recipe(self, chosen: Sequence[tuple[Place, str]], rng: random.Random) -> Case:
        """A recipe of a small fit with these values, and a command that reads it."""
        import tomli_w

        owners = {owner for place, _ in chosen if (owner := place.command)}
        name, _, engine = rng.choice(sorted(owners) or _PRIMITIVES).partition("@")
        data: dict[str, Any] = {
            "schema": 2,
            "seed": 1,
            "target": {"source": "photo.png", "size": 24},
            "primitive": {"name": name, "count": 4},
            "stage": [{"steps": 2}],
            "output": {"video_seconds": 0.3, "fps": 5},
            "run": {"threads": 1},
        }
        if name not in self.counted:
            del data["primitive"]["count"]
        if engine:
            data["stage"][0]["engine"] = engine
        if any(place.name.startswith("clip") for place, _ in chosen):
            data["target"]["source"] = "animation-0.gif"
        for place, kind in chosen:
            _put(data, place.name.split("."), self.value(place, kind, rng))
        text = tomli_w.dumps(data).encode("utf-8", "surrogateescape")
        if rng.random() < 0.05:
            text = _damaged(text, rng)
        line = rng.choices(_LINES, _OFTEN)[0]
        tried = tuple((f"recipe {place}", kind) for place, kind in chosen)
        return Case(tuple(line.format(RECIPE).split()), text, "", tried)


_LINES = (
    "fit --recipe {}",
    "fit --recipe {} --overwrite --json",
    "fit --recipe {} --dry-run --origins",
    "fit wide.png --recipe {} --no-video --name it",
    "fit photo.png --look {} -n 4 --steps 2 --size 24 --no-video",
    "compare photo.png -p {} --steps 2",
    "gallery build case",
    "gallery check case --json",
    "info {}",
)
_OFTEN = (12, 3, 2, 2, 2, 1, 1, 1, 1)
"""How often each of the lines reads a recipe."""


_HELPS = {"--help", "--help-all", "--version", "--man"}

_TURNS = ("option", "key", "options", "key", "keys")
"""What cases give values, in turn."""


@functools.lru_cache(2)
def _ordered(grammar: Grammar, which: str, seed: int) -> list[tuple[Place, str]]:
    return grammar.singles(getattr(grammar, which), seed)


def _any_kind(place: Place, rng: random.Random) -> str:
    """What fits, most of the time: only what is accepted goes on to meet the other values."""
    return place.kinds[0] if rng.random() < 0.75 else rng.choice(place.kinds)


def _put(data: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put a value where keys lead to; in the last of several tables."""
    inside: Any = data
    for key in path[:-1]:
        inside = inside.setdefault(key, {}) if isinstance(inside, dict) else inside
        inside = inside[-1] if isinstance(inside, list) and inside else inside
    if isinstance(inside, dict):
        inside[path[-1]] = value


def _damaged(text: bytes, rng: random.Random) -> bytes:
    """A text with some bytes replaced, left out or doubled."""
    at = rng.randrange(len(text))
    put = rng.choice([b"", b"\x00", b"\xff", b"[[", b"=", b'"""', text[at : at + 20] * 2])
    return text[:at] + put + text[at + rng.choice([0, 1, 20]) :]


# ---- reading -------------------------------------------------------------------------------------


def read_grammar(files: Sequence[str] = ()) -> Grammar:
    """Ask artgen for its commands, options, keys and names; `files` are those of a case's folder."""
    import typer

    from artgen.cli._main import make_app
    from artgen.plan.catalogue import facts_of
    from artgen.registry import default

    root = typer.main.get_command(make_app())
    registry = default()
    kinds: Sequence[Any] = ("primitive", "engine", "loss", "target", "exporter", "look")
    names = {kind: sorted({each.name for each in registry.entries(kind)}) for kind in kinds}
    facts = {name: facts_of(registry.find("primitive", name)) for name in names["primitive"]}
    return Grammar(
        tuple(_places(root, typer.Context(root, info_name="artgen"), "")),
        tuple(_keys(registry, names, facts)),
        tuple(sorted({name for some in names.values() for name in some})),
        frozenset(name for name, each in facts.items() if each["count"] is not None),
        tuple(files),
    )


def _places(command: Any, context: Any, path: str) -> Iterator[Place]:
    import typer

    for name, sub in getattr(command, "commands", {}).items():
        inner = typer.Context(sub, info_name=name, parent=context)
        yield from _places(sub, inner, f"{path} {name}".strip())
    for each in command.get_params(context):
        if "completion" not in each.name:  # typer's own
            yield _place(each, context, path)


def _place(each: Any, context: Any, path: str) -> Place:
    argument = each.param_type_name == "argument"
    name = each.name if argument else max(each.opts, key=len)
    if getattr(each, "is_flag", False):
        return Place(path, name, form="switch")
    fits = [str(choice) for choice in each.type_descriptor.choices or ()]
    fits += OF_ARGUMENTS.get(path, ()) if argument else ()
    fits = fits or [*_fitting(each.metavar or "", each.help or ""), *_completed(each, context)]
    low, high = each.min, each.max
    if low is not None or high is not None:
        inside = (1, 2, 3, 0.5 if low is None else low)
        fits += [f"{n:g}" for n in inside if (low or 0) <= n <= (high or 9)]
    form: Any = "argument" if argument else "option"
    return Place(path, name, tuple(dict.fromkeys(fits)) or ("1",), low, high, form)


def _completed(each: Any, context: Any) -> list[str]:
    """What the shell would complete."""
    return [item.value for item in each.shell_complete(context, "")][:200]


def _fitting(metavar: str, help: str) -> Iterator[str]:
    """What fits, by the words in capitals and the examples of the help."""
    for word in metavar.removesuffix("...").split("|"):
        if word in WORDS or metavar in WORDS:
            yield from WORDS.get(word) or WORDS[metavar]
        elif word.startswith("FILE"):
            yield from (f"out/new{word[4:]}", f"look{word[4:]}", f"art-0{word[4:]}")
        elif word.startswith("NAME["):
            yield from WORDS["NAME[@ENGINE][:KEY"]
        elif word.startswith("COLOUR"):
            yield from WORDS["COLOURS"]
        elif word == word.lower() and "host" not in word and word != "ray":
            yield word
    for example in re.findall(r"such as ([^\s,;()]+)", help):
        yield example.rstrip(".")


def _keys(registry: Any, names: dict[str, list[str]], facts: dict[str, Any]) -> Iterator[Place]:
    """The keys of all tables, and the options of primitives and engines."""
    from artgen.plan.catalogue import facts_of
    from artgen.recipe import Recipe

    yield from _keys_of(Recipe, "", names)
    for name, each in facts.items():
        for option in each["options"]:
            yield replace(_option(option, "primitive"), command=name)
    for name in names["engine"]:
        for option in facts_of(registry.find("engine", name))["options"]:
            families = option["families"] or [each["family"] for each in facts.values()]
            able = [p for p, each in facts.items() if name in each["engines"]]
            for primitive in [p for p in able if facts[p]["family"] in families][:1]:
                yield replace(_option(option, "stage"), command=f"{primitive}@{name}")


def _keys_of(table: Any, path: str, names: dict[str, list[str]]) -> Iterator[Place]:
    for name, key in table.declared().items():
        where = f"{path}.{name}" if path else name
        low, high = (key.bounds.get(end) for end in ("ge", "le"))
        fits = [
            *_typed(key.type, low, high, key.flag),
            *names.get(path if name == "name" else name, ()),
        ]
        yield Place("", where, tuple(fits), low, high, "key")
        if key.table is not None:
            yield from _keys_of(key.table, where, names)


def _option(option: dict[str, Any], table: str) -> Place:
    low, high = option["low"], option["high"]
    hints = option["hint"] or ["str"]
    fits: list[Any] = [choice for hint in hints if isinstance(hint, list) for choice in hint]
    kinds = {"int": int, "float": float, "bool": bool, "str": str}
    for hint in hints:
        if isinstance(hint, str) and hint in kinds:
            fits += _typed(kinds[hint], low, high, None)
    return Place("", f"{table}.{option['name']}", tuple(fits), low, high, "key")


def _typed(kind: Any, low: float | None, high: float | None, flag: Any) -> list[Any]:
    """Values of a type."""
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if kind is bool:
        return [True, False]
    if kind in (int, float):
        numbers = [kind(n) for n in (1, 2, 3, 0.5 if low is None else low)]
        return [n for n in numbers if (low or 0) <= n and (high is None or n <= high)] or [kind(0)]
    if kind is str:
        words = [*_fitting(flag.metavar or "", flag.help)] if flag is not None else []
        return words or ["a", "auto", "photo.png"]
    if isinstance(kind, type) and hasattr(kind, "declared"):
        return [{"name": "photo.png"}]
    return [value for part in get_args(kind) for value in _typed(part, low, high, flag)]
