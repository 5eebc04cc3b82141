"""The studio's page is complete, deterministic and small; what it cannot fit is refused with a reason."""

from __future__ import annotations

import html
import itertools
import json
import math
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import assert_types, run_script

from artgen import Param, Splat
from artgen.base.errors import UsageError
from artgen.base.philox import Philox, philox
from artgen.cli import main
from artgen.compiler.ir import OPERATIONS
from artgen.compiler.record import Untraceable
from artgen.engines.gradient.densify import DensificationSchedule
from artgen.init import Context, make_generator
from artgen.live import serve_page
from artgen.output.templates import read_asset
from artgen.primitives import Params
from artgen.rates import per_count
from artgen.registry import Registry, default
from artgen.studio import build_studio, default_splats
from artgen.studio._document import own_script
from artgen.studio._footprints import describe_footprint
from artgen.studio._kinds import describe_kind, variant_key
from artgen.studio._starts import describe_params
from artgen.studio._styles import describe_styles
from artgen.targets import TargetRequest, image_from_array
from artgen.values.canvas import Canvas

LARGEST = 600_000
DECLARED = Path(__file__).with_name("browser") / "globals.d.ts"


def test_philox_gives_the_published_numbers():
    """The known answers of Random123, the authors' library."""
    ones = np.uint64(0xFFFFFFFF)
    pi = [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0]
    cases = [
        ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([ones] * 4, [ones] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (*pi, "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ]
    for counter, key, expected in cases:
        words = philox(np.array(counter, np.uint64)[:, None], np.array(key, np.uint64))
        assert " ".join(f"{int(word):08x}" for word in words[:, 0]) == expected


def test_every_call_of_philox_begins_with_the_next_block():
    counters = np.zeros((4, 3), np.uint64)
    counters[0] = range(3)
    words = philox(counters, np.zeros(2, np.uint64)).T >> np.uint64(8)
    numbers = Philox(0)
    # Five numbers are in two blocks.
    assert numbers.uniform(5).tolist() == (words.ravel()[:5] / 2**24).tolist()
    assert numbers.uniform(1, 1).tolist() == [[words[2, 0] / 2**24]]


def test_philox_draws_what_is_asked_for():
    density = np.array([0.0, 1.0, 0.0, 3.0, 4.0])
    drawn = np.bincount(Philox(1).choose(density, 8000), minlength=5) / 8000
    assert drawn == pytest.approx(density / 8, abs=0.02)
    once = Philox(2).choose(density, 3, replacement=False)
    assert sorted(once) == [1, 3, 4]
    numbers = Philox(3).normal(2, 5000)
    assert numbers.shape == (2, 5000)
    assert numbers.mean() == pytest.approx(0, abs=0.03)
    assert numbers.std() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("kind", [None, "philox"])
def test_every_primitive_starts_from_either_generator(kind):
    target = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))
    for name in ("gaussian", "triangle"):
        primitive = default().load("primitive", name)()
        first, again = (
            primitive.initial(Context(make_generator(7, kind), Canvas(16, 16), 9, target))
            for _ in range(2)
        )
        for tensor, other in zip(first.values(), again.values(), strict=True):
            assert torch.equal(tensor, other)


class Odd(Splat):
    """Starting values of all kinds."""

    params = {
        "size": Param(
            init=lambda c, shape: 0.5 * c.spacing.expand(shape) + c.count / 100,
            min=lambda c: 0.1 * c.canvas.pixel,
            lr=lambda c: 0.3 / c.mean_spacing,
            map="exp",
        ),
        "near": Param(2, init=lambda c, shape: c.values["xy"] + c.randn(*shape), lr=0.1),
    }


def written_out(tape):
    """The results of a tape, as operations in one another."""
    known = []
    for value in tape["values"]:
        operation = isinstance(value, list)
        known.append([value[0], *(known[place] for place in value[1:])] if operation else value)
    return [known[place] for place in tape["results"]]


def test_starting_values_are_recorded_with_what_they_depend_on():
    described = {each["name"]: each for each in describe_params(Odd())}
    size, near = described["size"], described["near"]
    sized = ["add", ["mul", "spacing 0", 0.5], ["mul", "count", 0.01]]
    assert written_out(size["init"]) == [sized]
    assert written_out(size["low"]) == [["mul", "pixel", 0.1]]
    assert written_out(size["rate"]) == [["mul", ["div", 1.0, "mean_spacing"], 0.3]]
    assert near["init"]["draws"] == [["normal", 2]]
    assert written_out(near["init"])[1] == ["add", "value xy 1", "draw 0 1"]
    assert described["xy"]["init"]["draws"] == [["places", 2, 0.8]]


@pytest.mark.parametrize(
    ("rate", "found"),
    [
        (per_count(0.05), ["mul", "count", 0.05]),
        (lambda c: 0.05 / c.count, ["mul", ["div", 1.0, "count"], 0.05]),
        (lambda c: c.count / 2, ["mul", "count", 0.5]),
        (lambda c: math.sqrt(c.count), "the number of parts decides"),
        (lambda c: max(1, c.count), "TypeError"),
        (lambda c: 0.05 * (c.count + 1), "TypeError"),
    ],
)
def test_rates_follow_the_number_of_parts_or_are_refused(rate, found):
    """All of them were constants: colours under `mean` learned as if there were one part."""
    splat = type("Counted", (Splat,), {"params": {"size": Param(lr=rate)}})()
    if isinstance(found, str):
        with pytest.raises(Untraceable, match=found):
            describe_params(splat)
    else:
        described = {each["name"]: each for each in describe_params(splat)}
        assert written_out(described["size"]["rate"]) == [found]


def test_tensors_of_as_many_values_as_parts_are_recorded():
    size = Param(init=lambda c, shape: c.random(c.count) + torch.zeros(c.count), lr=0.1)
    splat = type("Sized", (Splat,), {"params": {"size": size}})()
    described = {each["name"]: each for each in describe_params(splat)}
    assert described["size"]["init"]["draws"] == [["uniform", 1]]


class Sorted(Splat):
    """Starts from what is not computed element by element."""

    params = {"size": Param(init=lambda c, shape: c.random(*shape).sort().values, lr=0.1)}


def test_starting_values_that_cannot_be_recorded_are_named():
    with pytest.raises(Untraceable, match="sort"):
        describe_params(Sorted())


def test_what_picks_parts_is_their_footprint():
    """The tapes, played as `start.js` does, beside the functions that they were recorded from."""
    for splat in (default().load("primitive", "stroke")(), default().load("primitive", "shard")()):
        numbers = torch.Generator().manual_seed(2)
        target = torch.rand(3, 16, 16, generator=numbers)
        tensors = splat.initial(Context(numbers, Canvas(16, 16), 5, target))
        given = {"dx": torch.full((5,), 0.02), "dy": torch.full((5,), -0.03)}
        for name, rows in tensors.items():
            flat = rows.reshape(-1, 5)
            places = itertools.product(*map(range, rows.shape[:-1]))
            given |= {
                " ".join([name, *map(str, at)]): row for at, row in zip(places, flat, strict=True)
            }

        def played(tape, given=given):
            known = []
            for value in tape["values"]:
                if isinstance(value, list):
                    known.append(OPERATIONS[value[0]](*(known[place] for place in value[1:])))
                else:
                    known.append(given[value].numpy() if isinstance(value, str) else value)
            return [known[place] for place in tape["results"]]

        tapes, p = describe_footprint(splat), Params(tensors)
        ellipse = [np.broadcast_to(axis, 5) for axis in splat.ellipse(p)]
        assert np.stack([np.broadcast_to(each, 5) for each in played(tapes["ellipse"])]) == (
            pytest.approx(np.stack(ellipse), rel=1e-5)
        )
        weight = splat.footprint(given["dx"], given["dy"], p)
        assert played(tapes["weight"])[0] == pytest.approx(weight.numpy(), rel=1e-4, abs=1e-6)


def test_the_page_knows_every_operation():
    table = own_script().partition("const OPERATIONS = {")[2].partition("};")[0]
    assert OPERATIONS.keys() <= set(re.findall(r"\b(\w+): ", table))


@pytest.fixture(scope="module")
def kinds():
    """All splats as the page has them; the shaders of `fourier`, of a hundred variants, take seconds."""
    registry = Registry()
    return {name: describe_kind(name, registry) for name in default_splats(registry)}


@pytest.mark.nightly
def test_the_page_of_all_splats_is_small(kinds, monkeypatch):
    registry = Registry()
    monkeypatch.setattr("artgen.studio._document.describe_kind", lambda name, registry: kinds[name])
    assert len(build_studio(default_splats(registry), registry)) < LARGEST


def test_the_page_is_closed_and_the_same_every_time():
    registry = Registry()
    names = default_splats(registry)
    assert names[0] == "gaussian"
    assert {"fourier", "stroke"} <= set(names)
    page = build_studio(names[:1], registry)
    assert build_studio(names[:1], registry) == page
    text = html.unescape(page.decode())
    assert "default-src 'none'" in text
    assert "connect-src" not in text
    assert "http" not in text.replace("http-equiv", "")
    ways = len(describe_styles({names[0]: describe_kind(names[0], registry)}, registry))
    assert f"{ways} ways to make it" in text


def test_every_choice_has_shaders_or_is_left_out():
    kind = describe_kind("stroke", Registry())
    options = {option["name"]: option for option in kind["options"]}
    assert list(options) == ["blend", "bristles", "texture", "hair"]
    assert kind["defaults"]["bristles"] == 5.0
    sliders = [options["bristles"], options["texture"]]
    assert all(slider["live"] for slider in sliders)
    for blend, there in (("sum", True), ("depth", True), ("over", True)):
        key = variant_key(None, {**kind["defaults"], "blend": blend}, sliders)
        assert (key in kind["variants"]) is there
    variant = kind["variants"][variant_key(None, kind["defaults"], sliders)]
    assert set(variant["programs"]) == {"mse", "l1", "exponential"}
    assert variant["recipe"]["run"]["random"] == "philox"
    assert math.isfinite(variant["recipe"]["stage"][0]["rate"])


def check_styles(styles, kinds):
    for style in styles:
        kind = kinds[style["primitive"]]
        sliders = [option for option in kind["options"] if "low" in option]
        variant = kind["variants"][variant_key(None, style["options"], sliders)]
        assert style["loss"] in variant["programs"]


@pytest.mark.nightly
def test_styles_are_looks_and_settings_that_the_page_has_shaders_for(kinds):
    styles = describe_styles(kinds, Registry())
    assert len(styles) == 6
    assert "dry brush" in [style["title"] for style in styles]
    check_styles(styles, kinds)


def test_styles_are_those_of_the_splats_that_the_page_has():
    registry = Registry()
    kinds = {name: describe_kind(name, registry) for name in ("gaussian", "stroke")}
    styles = describe_styles(kinds, registry)
    assert {style["primitive"] for style in styles} == {"gaussian", "stroke"}
    assert "dry brush" in [style["title"] for style in styles]
    check_styles(styles, kinds)
    only = describe_styles({"gaussian": kinds["gaussian"]}, registry)
    assert {style["primitive"] for style in only} == {"gaussian"}


NUMBERS = '''
import torch
from dataclasses import dataclass
from artgen import Param, Spec, Splat, hookimpl, init, option

class Star(Splat):
    """Stars."""

    @dataclass(frozen=True)
    class Options:
        soft: float = option(2.0, "softness", low=0.5, high=8)
        large: float = option(0.7, "size at the start")
        speed: int = option(4, "rate in hundredths")
        arms: int = option(3, "arms")
        kept: float = option(1.0, "read once")

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.kept = self.options.kept

    @property
    def params(self):
        o = self.options
        return {"size": Param(o.arms, init=init.constant(o.large), lr=o.speed / 100, map="exp")}

    def footprint(self, dx, dy, p):
        r = sum(torch.exp(-self.options.soft * (dx * dx + dy * dy) / size) for size in p.size)
        return self.kept * r

    def radius(self, p):
        return p.size.sum(0)

@hookimpl
def artgen_primitives():
    return [Spec("star", "Stars.", Star)]
'''


def test_options_that_only_are_numbers_are_sliders(tmp_path):
    (tmp_path / "star.py").write_text(NUMBERS)
    kind = describe_kind("star", Registry(files=[tmp_path / "star.py"]))
    options = {option["name"]: option for option in kind["options"]}
    sliders = [option for option in options.values() if "low" in option]
    assert {slider["name"]: slider["live"] for slider in sliders} == {
        "soft": True,
        "large": False,
        "speed": False,
    }
    assert (options["soft"]["low"], options["soft"]["high"]) == (0.5, 8.0)
    assert options["speed"]["whole"]
    assert options["arms"]["choices"] == [1, 3, 6]
    assert options["kept"]["choices"] == [0.5, 1.0, 2.0]
    variant = kind["variants"][variant_key(None, kind["defaults"], sliders)]
    rows = variant["programs"]["mse"]["parameters"]
    assert "option.soft" in [row["name"] for row in rows]
    size = next(param for param in variant["params"] if param["name"] == "size")
    assert written_out(size["init"]) == ["option.large"] * 3
    assert written_out(size["rate"]) == [["mul", "option.speed", 0.01]]


BROKEN = '''
from artgen import Param, Spec, Splat, hookimpl, option
from dataclasses import dataclass

class Odd(Splat):
    """Its default has no shaders."""

    @dataclass(frozen=True)
    class Options:
        ranked: bool = option(True, "sorted")

    params = {"size": Param(lr=0.1)}

    def footprint(self, dx, dy, p):
        return (p.size.sort().values if self.options.ranked else p.size) - dx * dx - dy * dy

    def radius(self, p):
        return p.size

@hookimpl
def artgen_primitives():
    return [Spec("odd", "Odd.", Odd)]

@hookimpl
def artgen_looks():
    return [
        Spec("plain", "Of any primitive.", {"target": {"size": 64}}),
        Spec("broken", "Of no table.", {"target": 3}),
    ]
'''


def test_what_plugins_get_wrong_leaves_a_page_that_opens(tmp_path):
    """Their looks ended the command; a page without shaders for its first fields stayed blank."""
    for name in ("odd.py", "other.py"):
        (tmp_path / name).write_text(BROKEN)
    registry = Registry(files=[tmp_path / "odd.py", tmp_path / "other.py"])
    assert describe_styles({}, registry) == []
    with pytest.raises(UsageError, match="odd has no shaders for fitting: torch's sort"):
        describe_kind("odd/odd", registry)


def script_of(*names):
    """Scripts of the page, as one."""
    return "\n".join(read_asset("artgen.studio", f"{name}.js") for name in names)


def test_the_curve_of_a_long_fit_is_drawn(tmp_path):
    """An hour has more points than a call takes arguments, so the fit ended with an error."""
    asked = """drawChart({ setAttribute: (_, path) => print(path) },
        Array.from({ length: 300000 }, (_, k) => [k, 1 / (k + 1)]), 10);"""
    assert run_script(script_of("chart") + asked, tmp_path).startswith("M0.0 4.0L")


def test_growth_has_the_rounds_of_python(tmp_path):
    """Short fits had their last rounds after the last step, and ended with fewer parts."""
    options = {"start": 0.1, "add": 0.2, "every": 0.05, "until": 0.6, "move": 0.05}
    cases = [(256, 1000, 0.6), (256, 7, 0.6), (40, 1, 0.6), (9, 30, 1.0), (3, 2, 0.05)]
    asked = f"""print({json.dumps(cases)}.map(([count, steps, until]) =>
        [...roundsOf({{ ...{json.dumps(options)}, until }}, count, steps)]));"""
    for (count, steps, until), found in zip(
        cases, run_script(script_of("growth") + asked, tmp_path), strict=True
    ):
        first = max(1, round(0.1 * count))
        schedule = DensificationSchedule(first, count, 0.2, 0.05, until, steps)
        assert dict(map(tuple, found)) == schedule.rounds


def test_another_number_of_steps_plans_growth_anew(tmp_path):
    """From 1000 to 200 steps, a fit of 256 parts ended with 70."""
    asked = """const options = { start: 0.1, add: 0.2, every: 0.05, until: 0.6, move: 0.05, count: 256, steps: 1000 };
      const fit = Object.assign(Object.create(Fit.prototype), { kind: { grows: true }, step: 300, count: 70, options });
      fit.rounds = fit.plan();
      print([900, 400].map((steps) => { fit.pace(steps); return [...fit.rounds].filter(([step]) => step >= 300); }));"""
    longer, shorter = run_script(script_of("growth", "fit") + asked, tmp_path)
    assert max(map(tuple, longer)) == (540, 256)
    assert shorter == [[300, 256]]


def test_a_link_asks_for_what_the_fields_take(tmp_path):
    """It took any number of parts, until the graphics card had no memory; halves were no seeds."""
    asked = """
      const html = PAGE, slider = { choices: [], low: 1, high: 64 };
      const attribute = (id, name) => html.match(`<[^>]* id="${id}"[^>]*>`)[0].match(` ${name}="([^"]*)"`)?.[1] ?? null;
      globalThis.document = { getElementById: (id) => ({
        getAttribute: (name) => attribute(id, name),
        dataset: { min: attribute(id, "data-min"), max: attribute(id, "data-max") },
      }) };
      const options = [{ ...slider, name: "edge", value: 8 }, { ...slider, name: "arms", value: 3, whole: true }];
      const kind = { name: "dot", count: 400, options, defaults: { edge: 8, arms: 3 }, presets: [], variants: { "": { programs: { mse: {} } } } };
      const first = { primitive: "dot", preset: "", options: {}, count: 1, size: 256, steps: 1000, loss: "mse", speed: 0, growth: true, seed: 1, background: "#000000" };
      print(LINKS.map((link) => settingsFrom(link, first, { dot: kind })));
    """
    links = (
        "count=1e9&size=99999&steps=1e300&speed=9&seed=4294967297&option.edge=99&option.arms=2.5",
        "count=-1&size=0&steps=0.2&speed=-9&seed=2.4&option.edge=0.5&option.arms=2",
        "count=&size=x&steps=Infinity&speed=0.3&seed=",
    )
    page = read_asset("artgen.studio", "page.html")
    asked = asked.replace("PAGE", json.dumps(page)).replace("LINKS", json.dumps(links))
    found = run_script(script_of("controls") + asked, tmp_path)
    keys = ("count", "size", "steps", "speed", "seed")
    assert [[settings[key] for key in keys] for settings in found] == [
        [20000, 2048, 100000, 2, 4294967295],
        [1, 16, 1, -2, 2],
        [400, 256, 1000, 0.25, 1],
    ]
    assert [list(settings["options"].values()) for settings in found] == [[8, 3], [8, 2], [8, 3]]


def test_the_page_lays_transparency_over_as_python_does(tmp_path):
    """It mixed colours as they are encoded: half of white over black was 128 instead of 188."""
    colours = np.random.default_rng(1).integers(0, 256, (24, 4), np.uint8)
    colours[0], colours[1] = (255, 255, 255, 128), (1, 2, 3, 255)
    for background in ((0.0, 0.0, 0.0), (1.0, 0.5, 0.02)):
        pixels = json.dumps(colours.flatten().tolist())
        asked = f"""const image = {{ data: Uint8ClampedArray.from({pixels}) }};
            print([...overBackground(image, {list(background)}).data]);"""
        found = np.reshape(run_script(script_of("picture") + asked, tmp_path), (24, 4))
        target = image_from_array(colours[None], TargetRequest(background=background))
        assert np.abs(found[:, :3] - target.pixels[0].astype(int)).max() <= 1
        assert (found[:, 3] == 255).all()
        assert found[1, :3].tolist() == [1, 2, 3]


def test_the_page_calls_variants_as_python_does(tmp_path):
    """Numbers that %g and JavaScript spell differently left no variant, and the page did not open."""
    values = {"a": 1e-05, "b": 1234567, "c": 0.1 + 0.2, "d": 8.0, "e": -2.5e22, "f": None}
    values |= {"g": True, "h": "word"}
    asked = f"""print(variantKey({{ options: [], defaults: {{ a: 0, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, h: 0 }} }},
        "own", {json.dumps(values)}));"""
    assert run_script(script_of("controls") + asked, tmp_path) == variant_key("own", values, [])


def test_a_choice_that_only_a_preset_has_is_shown(tmp_path):
    """The field showed the first of the others."""
    asked = """const made = { addEventListener() {}, replaceChildren(...options) { this.options = options; } };
        globalThis.document = { createElement: () => ({ ...made }) };
        const [{ options }] = choiceField({ name: "edges", choices: [1, 2] }, 3, () => true, () => {});
        print(options.map(({ textContent, selected }) => [textContent, selected]));"""
    shown = run_script(script_of("controls") + asked, tmp_path)
    assert shown == [["3", True], ["1", False], ["2", False]]


def test_the_scripts_have_the_types_that_their_comments_say(tmp_path):
    assert_types(own_script(), DECLARED, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-p", "triangle"], "another kind of primitive"),
        (["-p", "gausian"], "gaussian"),
        (["-o", "studio.png"], "not an HTML file"),
    ],
)
def test_what_the_studio_cannot_write_is_refused(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["studio", *arguments]) != 0
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_gallery_links_its_splats_to_a_studio(tmp_path):
    table = '[target]\nsource = "sample:{}"\nsize = 16\n[primitive]\nname = "{}"\ncount = 3\n'
    for name, sample in (("gaussian", "moon"), ("circle", "coffee")):
        recipe = f'schema = 2\nseed = 3\n[piece]\ntitle = "{name}"\n{table.format(sample, name)}'
        (tmp_path / f"{name}.toml").write_text(f"{recipe}[[stage]]\nsteps = 1\n")
    assert main(["gallery", "build", str(tmp_path), "--quick", "--studio", "-q"]) == 0
    page = (tmp_path / "out-quick" / "index.html").read_text()
    cards = json.loads(re.search(r'id="pieces">(.*?)</script>', page, re.DOTALL)[1])
    links = {card["slug"]: card["studio"] for card in cards}
    assert links["circle"] is None
    address, _, settings = links["gaussian"].partition("#")
    found = dict(urllib.parse.parse_qsl(settings))
    assert (found["picture"], found["count"], found["option.blend"]) == ("sample:moon", "3", "sum")
    assert (tmp_path / "out-quick" / address).stat().st_size < LARGEST


def test_the_page_is_served_to_this_machine_alone():
    def ask(host, method="GET", path="/"):
        request = urllib.request.Request(address[:-1] + path, method=method, headers={"Host": host})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            error.close()
            return error.code, b""

    with serve_page(b"<p>studio") as (address, _):
        own = address.removeprefix("http://").rstrip("/")
        assert ask(own) == (200, b"<p>studio")
        assert ask("example.com") == (403, b"")
        assert ask(own, path="/other")[0] == 404
        assert ask(own, method="POST")[0] == 405
