"""A page draws what artgen draws, at any depth, answers at once, and asks for nothing from elsewhere."""

from __future__ import annotations

import base64
import functools
import io
import json
from math import pi

import numpy as np
import pytest
import torch
from accessibility import serious_faults
from helpers import wait_until
from listening import listen
from PIL import Image

import artgen
from artgen import Param, Splat, fit, init, pixels
from artgen.art import ExportRequest
from artgen.exporters import export_html
from artgen.losses.metrics import psnr
from artgen.recipe import Recipe

pytestmark = pytest.mark.browser

SIZE = 64
QUICK = {"restarts": 2, "moves": 1, "candidates": 30, "patience": 20, "passes": 1}

READ = """async (options) => {
  const { data } = await artgen.pixels(options);
  let text = "";
  for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(data[i], data[i + 1], data[i + 2]);
  return btoa(text);
}"""

ANSWER = """(zoom) => new Promise((resolve) => {
  const times = {}, start = performance.now(), canvas = document.getElementById("picture");
  document.addEventListener("drawn", function note({ detail: { what } }) {
    times[what] ??= performance.now() - start;
    if (what !== "sharp") return;
    document.removeEventListener("drawn", note);
    resolve(times);
  });
  canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: zoom, clientX: 200, clientY: 150, cancelable: true }));
})"""


class Leaf(Splat):
    """A footprint of its own: a branch, an angle, and not nothing far away."""

    far = 0.25
    params = {
        "size": Param(init=init.from_spacing(0.7), min=pixels(1), lr=0.05, map="exp"),
        "angle": Param(init=init.uniform(0, pi), lr=0.05),
    }

    def footprint(self, dx, dy, p):
        c, s = torch.cos(p.angle), torch.sin(p.angle)
        u, v = (c * dx + s * dy) / p.size, (c * dy - s * dx) / p.size
        edge = torch.sigmoid(6 * (1 - torch.abs(v) * 2 - u * u))
        ribs = torch.where(v > 0, 1.0, 0.8) * (1 + 0.2 * torch.atan2(v, u + 2))
        return 0.25 + edge * ribs

    def radius(self, p):
        return 2.2 * p.size


class Wide(artgen.Field):
    """A field of other layers: a product of its own, a maximum, a sum."""

    params = {
        "a": Param(8, 2, init=init.uniform(-4, 4), lr=0.01),
        "b": Param(3, 8, init=init.uniform(-1, 1), lr=0.01),
    }

    def forward(self, xy, p):
        waves = torch.sin(xy @ p.a.t())
        bent = torch.maximum(waves, 0.3 * waves) * (1 + 0.1 * xy.sum(1, keepdim=True))
        return torch.sigmoid(bent @ p.b.t())


@pytest.fixture(scope="module", autouse=True)
def registered():
    from artgen.registry import reset_default

    reset_default()
    for cls in (Leaf, Wide):
        artgen.register(cls)
    yield
    reset_default()


@pytest.fixture
def visit(browser, tmp_path):
    """A function that opens a page's bytes; afterwards nothing may have gone wrong or outside."""
    contexts, complaints = [], []

    def visit(data, script="", **options):
        (tmp_path / "page.html").write_bytes(data)
        context = browser.new_context(**{"viewport": {"width": 480, "height": 400}, **options})
        contexts.append(context)
        page = context.new_page()
        listen(page, complaints, "file:", "data:", "blob:")
        if script:
            page.add_init_script(script)
        page.goto((tmp_path / "page.html").as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def until(page, condition):
    """Wait, without evaluating text in the page: its policy forbids that."""
    wait_until(lambda: page.evaluate(condition))


def drawn(page, **options):
    data = base64.b64decode(page.evaluate(READ, options))
    return np.frombuffer(data, np.uint8).reshape(options["height"], options["width"], 3)


def art_of(name, **options):
    given = {"count": 60, "steps": 40, "size": SIZE, "seed": 1, "backend": "eager", **options}
    return fitted(name, json.dumps(given))


@functools.cache
def fitted(name, options):
    """A fit with options as JSON, made once for all tests."""
    return fit("sample:astronaut", name, **json.loads(options))


FITS = {
    "gaussian": {},
    "fourier": {"count": 30},
    "stroke": {},
    # A few steps: textures that are drawn eagerly take half a second for each.
    "stamp": {"stamp": "leaf,flower", "colours": "own", "count": 20, "steps": 10},
    "leaf": {},
    "mlp": {"count": None, "hidden": 16},
    "siren": {"count": None, "hidden": 16},
    "hashgrid": {"count": None, "levels": 5, "log2_rows": 8, "hidden": 16},
    "fourier_features": {"count": None, "waves": 10, "hidden": 16},
    "wide": {"count": None},
    "triangle": {"steps": None, "engine_options": QUICK},
    "bezier+rotated_ellipse+rectangle+line": {"steps": None, "engine_options": QUICK},
}


@pytest.mark.parametrize("name", FITS)
def test_the_page_is_the_still_and_the_still_of_any_region(name, visit):
    art = art_of(name, **FITS[name])
    page = visit(export_html(art, ExportRequest()))
    assert psnr(drawn(page, width=SIZE, height=SIZE), art.render()) >= 40
    left, top = 6 * SIZE, 3 * SIZE
    region = art.render(16 * SIZE)[top : top + SIZE, left : left + SIZE]
    middle = [(2 * edge + SIZE - 16 * SIZE) / (16 * SIZE) for edge in (left, top)]
    near = drawn(page, width=SIZE, height=SIZE, x=middle[0], y=middle[1], zoom=16)
    assert psnr(near, region) >= 35


def test_layers_of_one_colour_multiply(visit):
    """They were one union."""
    art = art_of("halftone", inks="#a0a0a0,#a0a0a0", optical=False)
    page = visit(export_html(art, ExportRequest()))
    assert psnr(drawn(page, width=8 * SIZE, height=8 * SIZE), art.render(8 * SIZE)) >= 40


@pytest.mark.parametrize("blend", ["sum", "mean", "normalized", "depth", "over"])
def test_every_blend(blend, visit):
    art = art_of("gaussian", blend=blend, background="#4d1a99")
    page = visit(export_html(art, ExportRequest()))
    assert psnr(drawn(page, width=2 * SIZE, height=2 * SIZE), art.render(2 * SIZE)) >= 50


def test_a_footprint_with_more_numbers_than_corners_hand_on(visit):
    art = art_of("fourier", count=20, harmonics=40)
    page = visit(export_html(art, ExportRequest()))
    assert psnr(drawn(page, width=SIZE, height=SIZE), art.render()) >= 50


def test_a_learned_visibility(visit):
    art = art_of("gaussian", count=20, visibility="buffer", visibility_size=5, steps=60)
    cells = art.drawing.tensors["visibility"]
    assert cells.min() < 0.9 < cells.max()
    page = visit(export_html(art, ExportRequest()))
    assert psnr(drawn(page, width=SIZE, height=SIZE), art.render()) >= 50


def test_the_parts_that_say_most_come_first(visit):
    art = art_of("gaussian", count=80, steps=100)
    page = visit(export_html(art, ExportRequest()))
    whole = art.render()
    nearness = [
        psnr(drawn(page, width=SIZE, height=SIZE, parts=parts), whole) for parts in (1, 20, 40, 80)
    ]
    assert nearness == sorted(nearness)
    assert nearness[-1] > 50
    # Every second one: a fit that adds parts begins with those that cover most.
    some = torch.arange(0, 80, 2)
    half = artgen.Art(
        art.drawing.map_tensors(lambda tensor: tensor[..., some]), art.recipe, art.metrics
    )
    assert nearness[2] > psnr(half.render(), whole) + 1


def test_what_is_shown_is_sharp_at_rest(visit):
    art = art_of("gaussian")
    page = visit(export_html(art, ExportRequest()))
    page.evaluate("artgen.settled()")
    data = page.locator("#picture").evaluate("canvas => canvas.toDataURL()")
    shown = np.array(Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))))
    rows, columns = (np.flatnonzero(shown[..., 3].any(axis)) for axis in (1, 0))
    side = len(rows)
    assert side == len(columns) > 200
    picture = shown[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1, :3]
    assert psnr(picture, art.render(side)) >= 45


def test_hands_and_keys_move_and_zoom(visit):
    page = visit(export_html(art_of("gaussian"), ExportRequest()), reduced_motion="reduce")
    view = looking(page)
    page.mouse.move(240, 150)
    page.mouse.wheel(0, -400)
    until(page, "artgen.view().zoom > 1.5")
    page.keyboard.press("0")
    assert view() == {"x": 0, "y": 0, "zoom": 1}
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    assert view()["zoom"] == pytest.approx(1.5)
    assert view()["x"] > 0
    page.locator("#fit").click()
    page.mouse.move(240, 150)
    page.mouse.down()
    page.mouse.move(300, 150, steps=4)
    page.mouse.up()
    assert view()["x"] < 0
    page.locator("#fit").click()
    page.mouse.dblclick(240, 150)
    assert view()["zoom"] == 2
    for _ in range(60):
        page.keyboard.press("+")
    assert view()["zoom"] == 2**20
    page.evaluate("artgen.settled()")
    assert page.locator("#zoom").inner_text() == "1,049k\N{MULTIPLICATION SIGN}"
    assert not page.locator("#notice").is_visible()


def looking(page):
    return lambda: page.evaluate("artgen.view()")


def test_two_fingers_zoom(visit):
    page = visit(export_html(art_of("gaussian"), ExportRequest()))
    page.evaluate(
        """() => {
          const canvas = document.getElementById("picture");
          canvas.setPointerCapture = () => {};
          const send = (type, id, x) => canvas.dispatchEvent(new PointerEvent(type,
            { pointerId: id, clientX: x, clientY: 150, pointerType: "touch" }));
          send("pointerdown", 1, 220);
          send("pointerdown", 2, 260);
          send("pointermove", 1, 200);
          send("pointermove", 2, 280);
        }"""
    )
    assert page.evaluate("artgen.view().zoom") == pytest.approx(2, rel=0.05)


def test_the_slider_and_playing_show_fewer_parts(visit):
    page = visit(export_html(art_of("gaussian"), ExportRequest()))
    page.locator("#parts").fill("500")
    assert page.locator("#parts-count").inner_text() == "8"
    page.locator("#picture").focus()
    page.keyboard.press("Space")
    until(page, "document.getElementById('parts-count').textContent !== '8'")
    assert page.locator("#play").get_attribute("aria-label") == "Pause"
    page.locator("#play").click()
    assert page.locator("#play").get_attribute("aria-label") == "Play"


@pytest.mark.parametrize(
    ("name", "least", "options"),
    [
        ("gaussian", 60, {"count": 40, "blend": "over", "steps": 40}),
        # The browser smooths the edges of shapes in its own way.
        (
            "ellipse+line",
            40,
            {"count": 20, "steps": None, "engine_options": {**QUICK, "passes": 2}},
        ),
        ("mlp", 60, {"count": None, "hidden": 8, "steps": 20}),
    ],
)
def test_a_film_plays(name, least, options, visit):
    art = art_of(name, history=4, **options)
    page = visit(export_html(art, ExportRequest()))
    for share in (0.0, 0.37, 1.0):
        seconds = share * art.film.duration
        picture = drawn(page, width=SIZE, height=SIZE, seconds=seconds)
        assert psnr(picture, art.at(seconds).render()) >= least
    page.locator("#play").click()
    until(page, "Number(document.getElementById('seconds').value) > 20")


def test_what_is_seen_is_saved(visit):
    art = art_of("gaussian")
    page = visit(export_html(art, ExportRequest(size=100)))
    with page.expect_download() as waiting:
        page.locator("#save").click()
    picture = np.array(Image.open(waiting.value.path()).convert("RGB"))
    assert picture.shape == (100, 100, 3)
    assert psnr(picture, art.render(100)) >= 45
    assert waiting.value.suggested_filename == "60-gaussian.png"


def test_what_is_larger_than_graphics_cards_draw_is_saved_in_tiles(visit):
    """It was black, or saving never ended."""
    art = art_of("gaussian")
    largest = """window.largest = 0;
      const set = WebGL2RenderingContext.prototype.viewport;
      WebGL2RenderingContext.prototype.viewport = function (x, y, w, h) {
        window.largest = Math.max(window.largest, w, h);
        return set.call(this, x, y, w, h);
      };"""
    page = visit(export_html(art, ExportRequest(size=2100)), largest)
    with page.expect_download() as waiting:
        page.locator("#save").click()
    picture = np.array(Image.open(waiting.value.path()).convert("RGB"))
    assert psnr(picture, art.render(2100)) >= 45
    assert page.evaluate("window.largest") <= 2048


def test_what_cannot_be_saved_is_told(visit):
    script = "HTMLCanvasElement.prototype.toBlob = (use) => use(null);"
    page = visit(export_html(art_of("gaussian"), ExportRequest(size=100)), script)
    page.evaluate("artgen.settled()")
    page.locator("#save").click()
    page.locator("#busy", has_text="cannot save a picture of this size").wait_for()
    assert page.locator("#picture").is_visible()


@pytest.mark.parametrize("mark", ['id="numbers">', "<footer>"])
def test_a_page_that_is_cut_off_says_so(mark, visit):
    """It was empty: what says that numbers are damaged is at its end."""
    data = export_html(art_of("gaussian"), ExportRequest())
    page = visit(data[: data.index(mark.encode()) + 40])
    page.locator("#cut").wait_for()
    assert "not complete" in page.locator("#notice").inner_text()
    assert page.locator("#poster").evaluate("image => image.naturalWidth") == SIZE


def test_a_page_whose_numbers_are_too_few_says_so_and_is_settled(visit):
    data = export_html(art_of("gaussian"), ExportRequest())
    at = data.index(b'id="numbers">') + 13
    page = visit(data[: at + 400] + data[data.index(b"</script>", at) :])
    page.locator("#reason", has_text="damaged").wait_for()
    page.evaluate("artgen.settled()")
    assert page.locator("#cut").count() == 0


CLOCK = """
  // A clock that a full picture moves by 25 ms, or `takes`.
  let clock = 0;
  performance.now = () => clock;
  const scissor = WebGL2RenderingContext.prototype.scissor;
  WebGL2RenderingContext.prototype.scissor = function (x, y, w, h) {
    clock += ((window.takes ?? 25) * w * h) / (window.whole ?? 1e9);
    return scissor.call(this, x, y, w, h);
  };
"""
WHOLE = """() => {
  const { width, height } = document.getElementById('picture');
  window.whole = Math.min(width, height) ** 2;
}"""

SLOW = (
    CLOCK
    + """
  // It has strips; every strip changes the view.
  const fence = WebGL2RenderingContext.prototype.fenceSync;
  WebGL2RenderingContext.prototype.fenceSync = function (...rest) {
    if (window.changes > 0) {
      window.changes--;
      artgen.view({ zoom: 1 + window.changes / 1e6 });
    }
    return fence.call(this, ...rest);
  };
  document.addEventListener("drawn", ({ detail: { what } }) => {
    if (what !== "moved" && window.changes > 0) window.shown++;
  });
"""
)


def test_a_picture_that_changes_all_the_time_is_shown_all_the_time(visit):
    page = visit(export_html(art_of("gaussian"), ExportRequest()), SLOW)
    page.evaluate("artgen.settled()")
    page.evaluate(WHOLE)
    page.evaluate(
        "() => { Object.assign(window, { shown: 0, changes: 30 }); artgen.view({ zoom: 1.01 }); }"
    )
    until(page, "window.changes === 0")
    page.evaluate("artgen.settled()")
    assert page.evaluate("window.shown") >= 3


STALLED = """
  WebGL2RenderingContext.prototype.clientWaitSync = () => WebGL2RenderingContext.TIMEOUT_EXPIRED;
  const sources = window.sources = [];
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (source, ...rest) {
    if (this.canvas.id === "picture") sources.push([source.width, source.height]);
    return draw.call(this, source, ...rest);
  };
"""


def test_a_slow_card_shows_the_still_at_once_and_that_it_is_drawing(visit):
    art = art_of("siren", count=None, hidden=16)
    page = visit(export_html(art, ExportRequest()), STALLED)
    until(page, "window.sources.length > 0")
    assert page.evaluate("window.sources[0]") == [SIZE, SIZE]
    page.locator("#busy").wait_for()
    assert page.locator("#busy").inner_text() == "Drawing: 0 %"
    data = page.locator("#picture").evaluate("canvas => canvas.toDataURL()")
    shown = np.array(Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))))
    rows, columns = (np.flatnonzero(shown[..., 3].any(axis)) for axis in (1, 0))
    picture = shown[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1, :3]
    assert psnr(np.array(Image.fromarray(picture).resize((SIZE, SIZE))), art.render()) > 25


def test_without_webgl_it_says_so_and_shows_a_still(visit):
    page = visit(
        export_html(art_of("gaussian"), ExportRequest()),
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        " return kind === 'webgl2' ? null : get.call(this, kind, ...rest); };",
    )
    page.locator("#notice").wait_for()
    assert "WebGL 2" in page.locator("#reason").inner_text()
    assert page.locator("#poster").evaluate("image => image.naturalWidth") == SIZE


def test_words_are_words(visit):
    art = art_of("gaussian")
    title = '</title><script>document.title = "evil"</script><b>bold"'
    table = art.recipe.to_dict() | {"piece": {"title": title, "text": f"{title}&amp;"}}
    recipe = Recipe.from_dict(table)
    evil = artgen.Art(art.drawing, recipe, art.metrics)
    page = visit(export_html(evil, ExportRequest()))
    page.evaluate("artgen.settled()")
    assert page.title() == title
    assert page.locator("h1").inner_text() == title
    assert page.locator("b").count() == 0
    kept = json.loads(page.locator("#artgen-recipe").text_content())
    assert kept == json.loads(recipe.to_json())


@pytest.mark.parametrize("width", [390, 1280])
def test_no_word_of_a_page_stands_alone_in_the_last_line(width, visit):
    """Every length of a text is tried: some ended with one word in a line of its own."""
    page = visit(
        export_html(art_of("gaussian"), ExportRequest()), viewport={"width": width, "height": 800}
    )
    alone = page.evaluate(
        """() => {
          const p = document.querySelector(".words p"), range = document.createRange();
          const words = ("One closed line through nine thousand dots that never lifts: the long "
            + "threads between the legs are its shortest ways across and back again").split(" ");
          return words.map((_, last) => {
            p.textContent = words.slice(0, last + 1).join(" ");
            const tops = words.slice(0, last + 1).map((word, i) => {
              const start = words.slice(0, i).join(" ").length + (i > 0);
              range.setStart(p.firstChild, start);
              range.setEnd(p.firstChild, start + word.length);
              return range.getBoundingClientRect().top;
            });
            return last > 0 && tops[last] !== tops[last - 1] ? words[last] : null;
          }).filter(Boolean);
        }"""
    )
    assert alone == []


def test_five_thousand_splats_are_light_and_answer_at_once(visit):
    art = art_of("gaussian", count=5000, steps=2, size=128, backend="auto")
    data = export_html(art, ExportRequest())
    assert len(data) < 500_000
    page = visit(data, f"{CLOCK} window.takes = 400;")
    page.evaluate("artgen.settled()")
    page.evaluate(WHOLE)
    # The first one teaches the page what a picture takes here.
    answers = [page.evaluate(ANSWER, by) for by in (-120, -120, 120, 120)][1:]
    assert [answer["moved"] for answer in answers] == [0, 0, 0]
    assert min(answer["sharp"] for answer in answers) > 300
    coarse = [answer["coarse"] for answer in answers if "coarse" in answer]
    assert coarse
    assert max(coarse) < 100


# Colours change no size: by day each size is seen in one scheme, by night in both.
@pytest.mark.parametrize(
    ("width", "height", "scheme"),
    [
        *[(360, 740, "dark"), (740, 360, "light"), (1280, 800, "dark"), (360, 740, "light")],
        pytest.param(740, 360, "dark", marks=pytest.mark.nightly),
        pytest.param(1280, 800, "light", marks=pytest.mark.nightly),
    ],
)
def test_it_fits_any_screen(visit, scheme, width, height):
    page = visit(
        export_html(art_of("triangle", steps=None, engine_options=QUICK), ExportRequest()),
        viewport={"width": width, "height": height},
        color_scheme=scheme,
    )
    page.evaluate("artgen.settled()")
    root = page.evaluate("[document.body.scrollWidth, document.body.scrollHeight]")
    assert root == [width, height]
    assert page.locator("#stage").bounding_box()["height"] > height * 0.5
    assert serious_faults(page) == []
