"""The page of a gallery in a real browser: it plays, opens, filters, obeys the keyboard, asks for little."""

from __future__ import annotations

import functools
import http.server
import os
import threading
from pathlib import Path
from urllib.parse import urljoin

import pytest
from accessibility import serious_faults
from helpers import wait_until
from listening import listen

from artgen.cli import main

pytestmark = pytest.mark.browser

HEAD = 'schema = 2\nseed = 3\n[piece]\ntitle = "{title}"\ntext = "Look at {title}."\n'
PIECES = {
    "cat": ("A cat", '[target]\nsource = "sample:chelsea"\n[primitive]\nname = "gaussian"\n'),
    "cup": (
        "A cup",
        'make = "beads columns=20"\n[target]\nsource = "sample:coffee"\n[primitive]\nname = "triangle"\n',
    ),
    "line": (
        'A "line" & <i>more</i>',
        '[target]\nsource = "curve:"\n[primitive]\nname = "mlp"\n[[stage]]\nengine = "scratch"\n',
    ),
    "moon": ("A moon", '[target]\nsource = "sample:moon"\n[primitive]\nname = "circle"\n'),
}
LIMIT = 300_000


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of a page: that of ARTGEN_GALLERY, or of a small gallery made for this."""
    if given := os.environ.get("ARTGEN_GALLERY"):
        return Path(given)
    folder = tmp_path_factory.mktemp("gallery")
    for slug, (title, rest) in PIECES.items():
        words = title.replace('"', '\\"')
        (folder / f"{slug}.toml").write_text(HEAD.format(title=words) + rest)
    assert main(["gallery", "build", str(folder), "--quick", "-q"]) == 0
    return folder / "out-quick"


@pytest.fixture(scope="module")
def address(built):
    handler = functools.partial(QuietHandler, directory=built)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


@pytest.fixture
def visit(browser, address):
    """A function that opens the page; afterwards nothing may have gone wrong or outside."""
    opened, complaints = [], []

    def visit(**options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        page = context.new_page()
        listen(page, complaints, address.rpartition("/")[0], "data:")
        page.goto(address)
        opened.append(context)
        return page

    yield visit
    for context in opened:
        context.close()
    assert complaints == []


def cards(page):
    return page.locator(".card:visible")


def pieces(page):
    return page.locator("[id^=piece-]:visible")


def choose(page, name, value):
    """Choose one of the filters, which a button folds out."""
    if not page.locator(".filter details[open]").count():
        page.locator(".filter summary").click()
    page.locator(f"select[name={name}]").select_option(value)


def opened(page):
    return page.locator("dialog[open]")


def playing(page):
    return page.evaluate(
        "() => { const v = document.querySelector('.card video');"
        " return v ? !v.paused && v.currentTime > 0 : false; }"
    )


def test_it_shows_all_pieces_and_their_words(visit, built):
    page = visit()
    assert pieces(page).count() == sum(path.is_dir() for path in built.iterdir())
    assert cards(page).first.locator("h2").inner_text()
    assert "·" in cards(page).first.locator(".small").inner_text()
    for picture in page.locator(".card img").all():
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("async img => { await img.decode(); return img.naturalWidth; }") > 0
        assert picture.get_attribute("alt")


def test_pointing_plays_and_leaving_stops(visit):
    page = visit()
    cards(page).nth(1).locator(".picture").hover()
    page.wait_for_function("() => document.querySelector('.card video.shown')?.currentTime > 0")
    assert playing(page)
    page.locator("h1").hover()
    page.wait_for_function("() => !document.querySelector('.card video')")


def test_a_tap_on_the_button_plays_one_at_a_time(visit):
    page = visit(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    buttons = page.locator(".play")
    buttons.nth(0).tap()
    page.wait_for_function("() => document.querySelector('.card video.shown')?.currentTime > 0")
    assert buttons.nth(0).get_attribute("aria-pressed") == "true"
    buttons.nth(1).tap()
    assert buttons.nth(0).get_attribute("aria-pressed") == "false"
    assert page.locator(".card video").count() == 1
    buttons.nth(1).tap()
    assert page.locator(".card video").count() == 0


def test_the_filter_leaves_what_was_asked_for(visit):
    page = visit()
    everything = pieces(page).count()
    told = page.evaluate("JSON.parse(document.querySelector('#pieces').textContent)")
    for name in ("primitives", "engines"):
        select = page.locator(f"select[name={name}]")
        for value in select.locator("option").all_text_contents()[1:]:
            choose(page, name, value)
            assert pieces(page).count() == sum(value in each[name] for each in told) >= 1
            assert f"{name}={value}" in page.url
        select.select_option("")
    assert pieces(page).count() == everything
    assert page.locator(".filter [role=status]").inner_text() == f"{everything} pieces"


def test_the_lightbox_compares_tells_and_gives_focus_back(visit, built):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    link = cards(page).first.locator(".open")
    link.focus()
    page.keyboard.press("Enter")
    box = page.locator("dialog[open]")
    title = box.locator("h2").inner_text()
    assert title == cards(page).first.locator("h2").inner_text()
    assert page.evaluate("document.querySelector('dialog').matches(':modal')")

    command = box.locator(".command").inner_text()
    assert command.startswith("artgen fit --recipe ")
    assert str(built) not in command
    page.evaluate("getSelection().selectAllChildren(document.querySelector('dialog h2'))")
    box.locator("[data-copy=command]").press("Enter")
    assert page.evaluate("navigator.clipboard.readText()") == command
    assert box.locator("[role=status]").inner_text() == "Copied"
    box.locator("summary").click()
    assert "schema = 2" in box.locator(".recipe").inner_text()
    assert "PSNR" in box.locator(".metrics").inner_text()

    for kind in ("Making", "Compare", "Explore", "Errors", "Result"):
        box.get_by_text(kind, exact=True).click()
        shown = box.locator(".view :is(img, video, iframe)").first
        assert shown.is_visible()
    box.get_by_text("Compare", exact=True).click()
    slider = box.locator("input[type=range]")
    slider.focus()
    before = page.evaluate("document.querySelector('.view').style.getPropertyValue('--at')")
    page.keyboard.press("ArrowRight")
    after = page.evaluate("document.querySelector('.view').style.getPropertyValue('--at')")
    assert (before, after) == ("50%", "51%")
    assert box.locator("h2").inner_text() == title  # The slider had a use for the key.

    box.locator(".next").focus()
    page.keyboard.press("ArrowRight")
    assert box.locator("h2").inner_text() == cards(page).nth(1).locator("h2").inner_text()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert box.locator("h2").inner_text() == cards(page).last.locator("h2").inner_text()
    page.keyboard.press("Escape")
    page.wait_for_function("() => !location.hash")
    assert page.locator("dialog[open]").count() == 0
    focused = "link => link === document.activeElement"
    wait_until(lambda: cards(page).last.locator(".open").evaluate(focused))


def test_a_piece_is_explored_in_the_lightbox(visit):
    page = visit()
    cards(page).first.locator(".open").click()
    page.locator("dialog").get_by_text("Explore", exact=True).click()
    frame = page.frame_locator(".view iframe")
    frame.locator("#in").click()
    frame.get_by_text("1.5\N{MULTIPLICATION SIGN}").wait_for()
    assert not frame.locator(".words").is_visible()  # The lightbox tells of it.


def test_a_piece_offers_the_guide_of_what_is_made_of_it(visit, built, address):
    page = visit()
    slug = next(path.parent.name for path in sorted(built.glob("*/make.zip")))
    page.locator(f"#piece-{slug} .open").click()
    box = page.locator("dialog[open]")
    assert "\nartgen make " in box.locator(".command").inner_text()
    for name in ("guide (PDF)", "all to make it (ZIP)"):
        link = box.get_by_role("link", name=name, exact=True)
        file = built / slug / Path(link.get_attribute("href")).name
        answer = page.request.get(urljoin(address, link.get_attribute("href")))
        assert answer.body() == file.read_bytes()
    box.get_by_text("Thing", exact=True).click()
    assert box.locator(".view img").evaluate("each => each.decode().then(() => true)")


def test_focus_stays_in_the_lightbox(visit):
    page = visit()
    cards(page).first.locator(".open").click()
    for _ in range(25):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "() => document.activeElement === document.body"
            " || document.querySelector('dialog').contains(document.activeElement)"
        )


def test_what_has_no_target_picture_is_not_compared(visit, built):
    page = visit()
    for slug in [path.name for path in built.iterdir() if path.is_dir()]:
        page.locator(f"#piece-{slug} .open").click()
        kinds = page.locator(".views label").all_inner_texts()
        compared = (built / slug / "target.jpg").exists()
        explored = ["Explore"] if (built / slug / "explore.html").exists() else []
        expected = ["Compare", *explored, "Errors"] if compared else explored
        made = ["Thing"] if (built / slug / "thing.jpg").exists() else []
        assert [kind.strip() for kind in kinds] == ["Result", "Making", *made, *expected]
        page.wait_for_function(f"location.hash === '#{slug}'")
        page.keyboard.press("Escape")


def test_back_closes_the_lightbox_and_stays_on_the_page(visit, address):
    page = visit()
    links = pieces(page).locator(".open")
    links.nth(1).click()
    opened(page).locator(".next").click()
    page.go_back()
    page.wait_for_function("() => !document.querySelector('dialog').open")
    assert page.url == address
    page.go_forward()
    opened(page).wait_for()
    # Close goes back too, and what is opened at once waits for it.
    page.evaluate(
        "() => { document.querySelector('.close').click(); document.querySelector('.open').click(); }"
    )
    page.wait_for_function("() => history.state?.opened && document.querySelector('dialog').open")
    page.keyboard.press("Escape")
    page.wait_for_function("() => !location.hash")
    assert opened(page).count() == 0
    assert page.evaluate("history.length") <= 4


def test_the_address_keeps_filters_and_order(visit, address):
    page = visit()
    choose(page, "order", "kind")
    kind = page.locator("select[name=primitives] option").nth(1).inner_text()
    choose(page, "primitives", kind)
    shown = pieces(page).count()
    assert page.url.endswith(f"?primitives={kind}&order=kind".replace("+", "%2B"))
    page.reload()
    assert pieces(page).count() == shown
    kinds = page.evaluate(
        "() => { const all = JSON.parse(document.getElementById('pieces').textContent);"
        " return [...document.querySelectorAll('.card:not(.group)')].map("
        "(card) => all.find(({slug}) => card.id === `piece-${slug}`).primitives.join()); }"
    )
    assert kinds == sorted(kinds)


@pytest.mark.parametrize("width", [390, 1440])
def test_a_wall_shows_pictures_alone_edge_to_edge(visit, address, width):
    page = visit(viewport={"width": width, "height": 900})
    height = page.evaluate("document.documentElement.scrollHeight")
    choose(page, "view", "wall")
    assert page.url.endswith("?view=wall")
    assert page.evaluate("document.documentElement.scrollHeight") < height
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for words in page.locator(".card h2").all():
        assert words.bounding_box()["width"] <= 1
        assert words.inner_text()
    assert serious_faults(page) == []
    cards(page).first.locator(".open").click()
    assert opened(page).locator("h2").inner_text()
    page.goto(f"{address}?view=wall")
    assert page.locator(".wall").count() == 1


def test_one_button_holds_all_filters_and_a_telephone_reads_of_no_hovering(visit):
    """Four selects filled half of a telephone, which was told to hover, and cards said decibels."""
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.locator(".filter select:visible").count() == 0
    assert page.locator(".filter").bounding_box()["height"] < 80
    assert "Hover" not in page.locator("header").inner_text()
    assert not any(" dB" in facts for facts in cards(page).locator(".small").all_inner_texts())
    page.locator(".filter summary").tap()
    assert page.locator(".filter select:visible").count() == 4
    assert serious_faults(page) == []
    assert "Hover" in visit().locator("header").inner_text()


def test_nothing_found_is_said_and_undone(visit, address):
    page = visit()
    both = page.evaluate(
        "() => { const all = JSON.parse(document.getElementById('pieces').textContent);"
        " for (const of of all.flatMap((piece) => piece.primitives))"
        " for (const by of all.flatMap((piece) => piece.engines))"
        " if (!all.some((p) => p.primitives.includes(of) && p.engines.includes(by))) return [of, by]; }"
    )
    choose(page, "primitives", both[0])
    choose(page, "engines", both[1])
    assert (
        page.locator(".empty")
        .inner_text()
        .startswith(f"No piece is made of {both[0]} by {both[1]}.")
    )
    page.locator(".empty button").click()
    assert page.locator(".empty").is_hidden()
    assert pieces(page).count() > 1


def test_a_gallery_without_pieces_blames_no_filter(browser, built):
    document = (built / "index.html").read_text()
    start = document.index('id="pieces">') + len('id="pieces">')
    page = browser.new_page()
    page.set_content(document[:start] + "[]" + document[document.index("</script>", start) :])
    assert page.locator(".filter [role=status]").text_content() == "0 pieces"
    assert page.locator(".empty").is_hidden()
    page.close()


def test_two_wide_pictures_share_a_row_at_820_pixels(visit):
    page = visit(viewport={"width": 820, "height": 1180})
    tops = page.locator(".card:not(.group)").evaluate_all(
        "cards => cards.map(card => Math.round(card.getBoundingClientRect().top))"
    )
    assert len(set(tops)) <= 0.75 * len(tops)


def test_close_is_above_the_picture_on_a_telephone(visit):
    page = visit(viewport={"width": 390, "height": 844})
    pieces(page).first.locator(".open").click()
    close, view = opened(page).locator(".close"), opened(page).locator(".view")
    assert close.bounding_box()["y"] < view.bounding_box()["y"]
    page.mouse.wheel(0, 600)
    close.click()
    assert opened(page).count() == 0


def test_a_link_leads_to_a_piece(visit, built, address):
    page = visit()
    slug = page.locator(".card").nth(1).get_attribute("id").removeprefix("piece-")
    page.goto(f"{address}#{slug}")
    page.reload()
    assert page.locator("dialog[open] .view").is_visible()


def test_nothing_moves_for_who_wants_no_motion(visit):
    page = visit(reduced_motion="reduce")
    cards(page).first.locator(".picture").hover()
    page.wait_for_timeout(500)
    assert page.locator(".card video").count() == 0
    cards(page).first.locator(".open").click()
    page.locator("dialog").get_by_text("Making", exact=True).click()
    assert page.locator(".view video").evaluate("video => video.paused && !video.autoplay")


def note_size(sizes, response):
    sizes.append(len(response.body()))


def test_it_is_light_before_anything_is_scrolled_to_or_played(browser, address):
    for viewport in ({"width": 390, "height": 844}, {"width": 1280, "height": 800}):
        context = browser.new_context(viewport=viewport)
        page = context.new_page()
        sizes = []
        page.on("response", functools.partial(note_size, sizes))
        page.goto(address, wait_until="networkidle")
        context.close()
        assert 0 < sum(sizes) < LIMIT, f"{sum(sizes)} bytes in {len(sizes)} files"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 2560])
def test_it_fits_any_screen(visit, scheme, width):
    page = visit(viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(250, 250, 248)", "dark": "rgb(14, 14, 16)"}[scheme]
    page.locator(".card .open").first.click()
    box = page.locator("dialog").bounding_box()
    assert box["width"] <= width
    assert page.locator(".view").bounding_box()["width"] > min(width, 900) * 0.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, scheme):
    page = visit(color_scheme=scheme)
    assert serious_faults(page) == []
    page.locator(".card .open").first.click()
    for kind in page.locator(".views label").all_inner_texts():
        page.locator("dialog").get_by_text(kind.strip(), exact=True).click()
        assert serious_faults(page) == [], kind
